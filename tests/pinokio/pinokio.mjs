// A Pinokio daemon and what a person does with it: look at the menu, run a script, open the page, stop.
import fs from "node:fs"
import net from "node:net"
import path from "node:path"
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import WebSocket from "ws"

const here = path.dirname(fileURLToPath(import.meta.url))
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const plain = (html) => html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim()

export const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

export const answers = (url) => fetch(url).then((reply) => reply.status, () => 0)

export class Pinokio {
  constructor(work, app, port) {
    Object.assign(this, { work, app, port, home: path.join(work, "pinokio"), base: `http://127.0.0.1:${port}` })
    this.folder = path.join(this.home, "api", app)
    this.terminal = fs.createWriteStream(path.join(work, "terminal.txt"), { flags: "a" })
  }

  async start() {
    const user = path.join(this.work, "user")
    fs.mkdirSync(path.join(user, ".pinokio"), { recursive: true })
    // Without the version the daemon takes this for an upgrade and empties the folders that makeHome filled.
    const { version } = createRequire(import.meta.url)("pinokiod/package.json")
    fs.writeFileSync(path.join(user, ".pinokio/config.json"), JSON.stringify({ home: this.home, theme: "light", version }))
    const own = Object.entries(process.env).filter(([key]) => !/^(UV_|VIRTUAL_ENV|CONDA|PYTHON|HF_|GRADIO|RUSHES)/.test(key))
    const env = { ...Object.fromEntries(own), HOME: user, PINOKIO_HOME: this.home, PINOKIO_TEST_PORT: String(this.port),
      PINOKIO_NETWORK_ACTIVE: "0", PINOKIO_HTTPS_ACTIVE: "0", PINOKIO_DISABLE_WATCH: "1", SHELL: "/bin/bash" }
    const log = fs.openSync(path.join(this.work, "daemon.log"), "a")
    this.daemon = spawn(process.execPath, [path.join(here, "daemon.cjs")], { cwd: this.work, env, stdio: ["ignore", log, log], detached: true })
    for (let waited = 0; ; waited += 250) {
      if (this.daemon.exitCode !== null || waited > 90_000) throw new Error("pinokiod did not start, see daemon.log")
      const ready = await this.json("/check").catch(() => ({}))
      const pending = ready.success ? await this.json("/pinokio/requirements_ready").catch(() => ({})) : {}
      if (ready.success && pending.requirements_pending === false) return
      await pause(250)
    }
  }

  end() {
    try { process.kill(-this.daemon.pid, "SIGKILL") } catch { /* it is gone */ }
  }

  async json(address) {
    return (await fetch(this.base + address)).json()
  }

  async menu() {
    await fetch(`${this.base}/p/${this.app}`)
    const html = await (await fetch(`${this.base}/pinokio/sidebar/${this.app}`)).text()
    const items = html.matchAll(/<(a|div)\s([^>]*class='btn header-item[^>]*)>([\s\S]*?)<\/\1>/g)
    return [...items].map(([, , attributes, inner]) => ({ text: plain(inner), href: /\shref="([^"]*)"/.exec(attributes)?.[1] }))
  }

  // Runs a script as its page does. Resolves when it ends, or when a server's script says that it is up.
  async run(file) {
    const page = await fetch(`${this.base}/api/${this.app}/${file}`)
    if (page.redirected) throw new Error(`Pinokio sends us to its own set-up first: ${page.url}`)
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}`, { headers: { origin: this.base } })
    const seen = { notes: [], errors: [] }
    return new Promise((resolve, reject) => {
      const end = (how) => { clearTimeout(limit); socket.close(); resolve({ ...seen, end: how }) }
      const limit = setTimeout(() => end("too long"), 300_000)
      socket.on("error", reject)
      socket.on("open", () => socket.send(JSON.stringify({ uri: `~/api/${this.app}/${file}`, mode: "run", input: {},
        client: { cols: 120, rows: 40, source: "ui" } })))
      socket.on("message", (bytes) => {
        const { type, data, id } = JSON.parse(bytes)
        const own = !id || String(id).endsWith(file)
        if (type === "stream" && data?.raw) this.terminal.write(data.raw)
        else if (type === "notify") seen.notes.push(plain(data?.html ?? ""))
        else if (type === "error" && own) { seen.errors.push(data); end("error") }
        else if (type === "start" && data?.title === "Started") end("up")
        else if (type === "disconnect" && own) end("done")
      })
    })
  }

  async url() {
    const file = encodeURIComponent(path.join(this.folder, "start.json"))
    const memory = await this.json(`/pinokio/memory?filepath=${file}`)
    return memory.find(({ key }) => key === "url")?.val
  }

  async stop() {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}`, { headers: { origin: this.base } })
    await new Promise((resolve) => socket.on("open", resolve))
    socket.send(JSON.stringify({ method: "kernel.api.stop", params: { uri: `~/api/${this.app}/start.json` } }))
    await pause(3000)
    socket.close()
  }
}
