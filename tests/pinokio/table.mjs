// Which steps of each script run on which machine, without a daemon and without npm. usage: node table.mjs <app folder>
// The rules of Pinokio's templates that matter here: an unknown name in `when` makes it true, a step that is skipped
// hands on no input, {{port}} is a free port.
import assert from "node:assert/strict"
import fs from "node:fs"
import path from "node:path"

const app = process.argv[2]
const GPUS = {
  "old NVIDIA": { gpu: "nvidia", gpu_model: "nvidia geforce gtx 1080" },
  "new NVIDIA": { gpu: "nvidia", gpu_model: "nvidia geforce rtx 5090" },
  AMD: { gpu: "amd", gpu_model: "amd radeon rx 7900 xtx" },
  Intel: { gpu: "intel corporation", gpu_model: "intel arc a770" },
  Apple: { gpu: "apple", gpu_model: "apple m3" },
  none: { gpu: "none", gpu_model: undefined },
}
const SYSTEMS = { Windows: { platform: "win32", path: path.win32 }, Linux: { platform: "linux", path: path.posix },
  macOS: { platform: "darwin", path: path.posix } }
const URL = "http://127.0.0.1:42003"
// script, what its shell says (null: nothing), the steps that run, the words that the person is shown
const STORIES = [
  ["install.json", "RUSHES_RESULT=<ok>", "fs.rm shell.run local.set notify", /is installed/],
  ["install.json", "RUSHES_RESULT=<The disk is full.>", "fs.rm shell.run local.set notify", /not installed yet. The disk is full/],
  ["install.json", null, "fs.rm shell.run local.set notify", /without a word/],
  ["start.json", `APP_URL=<${URL}>`, "shell.run local.set local.set", null],
  ["start.json", "RUSHES_RESULT=<The disk is full.>", "shell.run local.set notify script.stop", /did not start. The disk is full/],
  ["start.json", null, "shell.run local.set notify script.stop", /did not start. It ended/],
  ["update.json", "RUSHES_RESULT=<ok>", "script.stop shell.run local.set notify", /is up to date/],
  ["update.json", "RUSHES_RESULT=<It broke.>", "script.stop shell.run local.set notify", /was not updated. It broke/],
  ["reset.json", null, "script.stop fs.rm notify", /are still here/],
]

function render(text, scope) {
  const value = (expression) => {
    try {
      return new Function(...Object.keys(scope), `return (${expression})`)(...Object.values(scope))
    } catch (error) {
      if (error instanceof ReferenceError) return `{{${expression}}}` // stays as text, and text is true
      throw error
    }
  }
  const whole = /^\{\{((?:(?!\}\}).)*)\}\}$/s.exec(text)
  return whole ? value(whole[1]) : text.replace(/\{\{(.*?)\}\}/gs, (_, expression) => value(expression))
}

function heard(step, said) {
  for (const { event } of step.params.on) {
    const [, pattern, flags] = /^\/(.+)\/(\w*)$/s.exec(event)
    assert.ok(!new RegExp(pattern, flags).test(step.params.message), `the command itself matches ${event}`)
    const found = said === null ? null : new RegExp(pattern, flags).exec(said)
    if (found) return { event: found }
  }
  return {}
}

function walk(script, machine, said) {
  const [ran, shown, local] = [[], [], {}]
  let input = null
  for (const step of script.run) {
    const scope = { ...machine, local, input, cwd: "/app", port: 42003 }
    const runs = !step.when || Boolean(render(step.when, scope))
    input = null
    if (!runs) continue
    ran.push(step.method)
    const params = JSON.parse(JSON.stringify(step.params), (_, value) => (typeof value === "string" ? render(value, scope) : value))
    assert.ok(!JSON.stringify(params).includes("{{"), `left as it is: ${JSON.stringify(params)}`)
    if (step.method === "shell.run") {
      assert.match(params.message, /^python bootstrap\.py --/)
      assert.deepEqual([params.venv, params.venv_python], [".venv", "3.11"])
      input = heard(step, said)
    }
    if (step.method === "local.set") Object.assign(local, params)
    if (step.method === "notify") shown.push(params.html)
    if (step.method === "script.stop") assert.ok(path.isAbsolute(params.uri) || path.win32.isAbsolute(params.uri))
  }
  return { ran: ran.join(" "), shown: shown.join(" "), local }
}

for (const [file, said, steps, words] of STORIES) {
  const script = JSON.parse(fs.readFileSync(path.join(app, file), "utf8"))
  assert.ok(!/error:|errno /i.test(script.run.map((step) => step.params.message).join()), "the command text would stop it")
  for (const [system, sort] of Object.entries(SYSTEMS)) {
    for (const [card, gpu] of Object.entries(GPUS)) {
      const { ran, shown, local } = walk(script, { ...sort, ...gpu }, said)
      assert.equal(ran, steps, `${file} on ${system}, ${card}`)
      if (words) assert.match(shown, words)
      assert.equal(local.url, said?.startsWith("APP_URL") ? URL : undefined)
    }
  }
}
console.log(`${STORIES.length} stories on ${Object.keys(SYSTEMS).length * Object.keys(GPUS).length} machines`)
