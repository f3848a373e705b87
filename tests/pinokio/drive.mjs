// The story of a person with Pinokio: Install, Start, Open, Update, Stop, an update that fails, Reset.
// usage: node drive.mjs <checkout> <work folder> <settings as JSON>   Prints a line per step; exit code 0 when all held.
import assert from "node:assert/strict"
import fs from "node:fs"
import path from "node:path"
import { execFileSync } from "node:child_process"
import { answers, freePort, Pinokio } from "./pinokio.mjs"
import { makeHome } from "./home.mjs"

const [checkout, work, settings] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])]
const git = (folder, ...words) => execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...words],
  { cwd: folder, encoding: "utf8" }).trim()

const origin = path.join(work, "origin")
git(work, "clone", "-q", checkout, origin) // only what is committed, as a person gets it
const pinokio = new Pinokio(work, "rushes", await freePort())
makeHome(pinokio.home, settings)
git(work, "clone", "-q", origin, pinokio.folder)

const marker = path.join(pinokio.folder, ".venv/installed.json")
const texts = async () => (await pinokio.menu()).map((item) => item.text.replace(/ -->.*/, ""))
const commit = (name, text) => {
  fs.writeFileSync(path.join(origin, name), text)
  git(origin, "add", "-A")
  git(origin, "commit", "-q", "-m", `test: ${name}`)
  return git(origin, "rev-parse", "HEAD")
}
const startAndOpen = async () => {
  const run = await pinokio.run("start.json")
  const url = await pinokio.url()
  assert.equal(run.end, "up", JSON.stringify(run))
  assert.match(url ?? "", /^http:\/\/127\.0\.0\.1:\d+$/, JSON.stringify(run))
  assert.equal(await answers(url), 200)
  return url
}

const story = {
  "the menu offers Install": async () => assert.deepEqual(await texts(), ["Install"]),
  "Install fills .venv and checks it": async () => {
    const run = await pinokio.run("install.json")
    assert.deepEqual([run.end, run.notes], ["done", ["Rushes is installed. Click Start ."]], JSON.stringify(run))
    assert.ok(fs.existsSync(marker))
    assert.equal((await texts())[0], "Start")
  },
  "Start opens a page that the menu leads to": async () => {
    const url = await startAndOpen()
    assert.equal((await pinokio.menu()).find((item) => item.text === "Open Rushes")?.href, url)
  },
  "Update stops the studio and brings the new version": async () => {
    const [url, newest] = [await pinokio.url(), commit("NEWS.txt", "new\n")]
    const run = await pinokio.run("update.json")
    assert.deepEqual(run.notes, ["Rushes is up to date. Click Start ."], JSON.stringify(run))
    assert.deepEqual([git(pinokio.folder, "rev-parse", "HEAD"), await answers(url)], [newest, 0])
  },
  "Start works after it, Stop closes the port": async () => {
    const url = await startAndOpen()
    await pinokio.stop()
    assert.equal(await answers(url), 0)
    assert.equal((await texts())[0], "Start")
  },
  "an update that does not work is taken back": async () => {
    const before = git(pinokio.folder, "rev-parse", "HEAD")
    commit("app.py", "raise SystemExit('this version is broken')\n")
    const run = await pinokio.run("update.json")
    assert.match(run.notes.join(), /was not updated.*The one you had is back/)
    assert.deepEqual([git(pinokio.folder, "rev-parse", "HEAD"), fs.existsSync(marker)], [before, true])
    assert.equal((await texts())[0], "Start")
  },
  "Reset removes the environment and nothing of the person's": async () => {
    const clip = path.join(pinokio.folder, "data/clips/mine.mp4")
    fs.mkdirSync(path.dirname(clip), { recursive: true })
    fs.writeFileSync(clip, "mine")
    const run = await pinokio.run("reset.json")
    assert.deepEqual([run.end, fs.existsSync(path.join(pinokio.folder, ".venv")), fs.existsSync(clip)], ["done", false, true])
    assert.deepEqual(await texts(), ["Install", "My files"])
    assert.equal(git(pinokio.folder, "status", "--porcelain"), "")
  },
}

let code = 0
try {
  await pinokio.start()
  for (const [name, step] of Object.entries(story)) {
    const begun = Date.now()
    await step()
    console.log(`ok  ${((Date.now() - begun) / 1000).toFixed(1)} s  ${name}`)
  }
} catch (error) {
  console.log(`FAILED\n${error.stack}\nThe terminal: ${path.join(work, "terminal.txt")}`)
  code = 1
} finally {
  pinokio.end()
}
process.exit(code)
