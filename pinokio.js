// The menu that Pinokio shows. It must never throw: a menu that does is empty.
// "5.0" is an upper bound in Pinokio's eyes and is accepted by 5 to 8.
module.exports = {
  version: "5.0",
  title: "Rushes",
  description: "A local AI-video studio: see a cheap take, approve it, get that same shot at full quality.",
  icon: "icon.png",
  menu: async (kernel, info) => {
    const terminal = (text, href) => [{ default: true, icon: "fa-solid fa-terminal", text, href }]
    if (info.running("install.json")) return terminal("Installing", "install.json")
    if (info.running("update.json")) return terminal("Updating", "update.json")
    if (info.running("reset.json")) return terminal("Resetting", "reset.json")

    const reset = {
      icon: "fa-solid fa-broom", text: "Reset", href: "reset.json",
      confirm: "Remove the installed programs? Your models, takes and clips stay. Click Install afterwards.",
    }
    const clips = info.exists("data") ? [{ icon: "fa-solid fa-folder-open", text: "My files", href: "data", fs: true }] : []
    // bootstrap.py writes this file only after the self-check has passed.
    if (!info.exists(".venv/installed.json")) {
      const install = { default: true, icon: "fa-solid fa-plug", text: "Install", href: "install.json" }
      return info.exists(".venv") ? [{ ...install, text: "Install (not finished yet)" }, ...clips, reset] : [install, ...clips]
    }
    if (info.running("start.json")) {
      const { url } = info.local("start.json") || {}
      if (!/^http/.test(url || "")) return terminal("Starting", "start.json")
      return [
        { default: true, icon: "fa-solid fa-clapperboard", text: "Open Rushes", href: url },
        { icon: "fa-solid fa-terminal", text: "Terminal", href: "start.json" },
        ...clips,
      ]
    }
    return [
      { default: true, icon: "fa-solid fa-power-off", text: "Start", href: "start.json" },
      ...clips,
      { icon: "fa-solid fa-rotate", text: "Update", href: "update.json" },
      { icon: "fa-solid fa-plug", text: "Install again", href: "install.json" },
      reset,
    ]
  },
}
