// A Pinokio home in which the daemon finds everything it would otherwise download at its first start.
// Real here: uv, git, Python 3.11. Stand-ins: Miniforge (activation does nothing) and tools that Rushes never calls.
import fs from "node:fs"
import path from "node:path"

const put = (file, text, mode = 0o644) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text, { mode })
}
const link = (target, file) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.symlinkSync(target, file)
}

// What the daemon reads from conda-meta to learn which tools are there, at versions that pinokiod 5.3.28 accepts.
const CONDA = {
  conda: "26.5.3", "conda-libmamba-solver": "25.4.0", python: "3.10.20", sqlite: "3.47.2", uv: "0.11.23", git: "2.51.0",
  "git-lfs": "3.7.0", gh: "2.82.1", "7zip": "23.01", p7zip: "16.02", nodejs: "22.21.1", pnpm: "10.20.0",
  ffmpeg: "5.1.2", huggingface_hub: "1.0.1", caddy: "2.9.1", nss: "3.0", gxx: "14.0.0", zip: "1",
}

const CONDA_SCRIPT = `#!/bin/bash
[ "$1 $2" = "shell.bash hook" ] && echo 'conda() { :; }'
[ "$1" = "--version" ] && echo "conda 26.5.3"
exit 0
`

export function makeHome(home, { uv, uvCache, python, pythonVersion }) {
  const base = path.join(home, "bin/miniconda")
  for (const [name, version] of Object.entries(CONDA)) {
    const record = { name, version, build: "0", build_string: "0", channel: "conda-forge", files: [] }
    put(path.join(base, `conda-meta/${name}-${version}-0.json`), JSON.stringify(record))
  }
  for (const folder of ["condabin", "etc/profile.d", "lib", "Library/bin", "pkgs", "envs"]) {
    fs.mkdirSync(path.join(base, folder), { recursive: true })
  }
  put(path.join(base, "bin/conda"), CONDA_SCRIPT, 0o755)
  link(uv, path.join(base, "bin/uv"))
  for (const name of ["python", "python3"]) link(path.join(python, "bin/python3.11"), path.join(base, "bin", name))
  for (const name of ["pterm", "bun"]) {
    put(path.join(home, "bin/npm/bin", name), "#!/bin/bash\n", 0o755)
    put(path.join(home, "bin/npm/lib/node_modules", name, "package.json"), JSON.stringify({ name, version: "1.0.0" }))
  }
  for (const name of ["fastapi", "uvicorn", "importlib_metadata"]) {
    fs.mkdirSync(path.join(home, "bin/py/env/lib/python3.10/site-packages", name), { recursive: true })
  }
  for (const name of ["system/AGENTS.md", "system/structure/clone", "system/structure/new", "PINOKIO.md", "PTERM.md"]) {
    put(path.join(home, "prototype", name), "stand-in\n")
  }
  for (const folder of ["network/system", "plugin/code", "api"]) fs.mkdirSync(path.join(home, folder), { recursive: true })

  // Pinokio lets uv use only Pythons that uv itself put here (it takes a folder of links for one, but not a link to a
  // folder), and drops every variable with SSL in its name.
  const triple = process.arch === "arm64" ? "linux-aarch64-gnu" : "linux-x86_64-gnu"
  const managed = path.join(home, `cache/XDG_DATA_HOME/uv/python/cpython-${pythonVersion}-${triple}`)
  for (const part of ["bin", "include", "lib"]) link(path.join(python, part), path.join(managed, part))
  put(path.join(home, "cache/XDG_CONFIG_HOME/uv/uv.toml"), "system-certs = true\n")
  if (uvCache) link(uvCache, path.join(home, "cache/UV_CACHE_DIR")) // packages this machine already downloaded
}
