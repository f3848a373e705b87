// Starts the real pinokiod server without a screen, and keeps it to this machine: it listens on loopback only, reaches
// nothing else and sends no UDP. What its shells start (uv, git, the app) uses the machine's own network.
const net = require("node:net")
const dgram = require("node:dgram")
const path = require("node:path")

const HERE = /^(localhost|127\.|::1|0\.0\.0\.0|::$)/
const { listen } = net.Server.prototype
net.Server.prototype.listen = function (first, ...rest) {
  const port = typeof first === "object" && first ? first.port : first
  const wasPort = typeof port === "number" || /^\d+$/.test(port)
  const then = rest.filter((value) => typeof value === "function")
  return wasPort ? listen.call(this, { port: Number(port), host: "127.0.0.1" }, ...then) : listen.call(this, first, ...rest)
}
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...all) {
  const [to, host] = Array.isArray(all[0]) ? all[0] : all
  const target = to && typeof to === "object" ? (to.path ? "localhost" : to.host) : host
  if (!target || HERE.test(target)) return connect.apply(this, all)
  process.nextTick(() => this.destroy(Object.assign(new Error(`not in this test: ${target}`), { code: "ECONNREFUSED" })))
  return this
}
dgram.Socket.prototype.bind = function () { return this }
dgram.Socket.prototype.send = function () {}

const root = path.dirname(require.resolve("pinokiod/package.json"))
const memory = { home: process.env.PINOKIO_HOME, theme: "light", version: require(path.join(root, "package.json")).version }
const nowhere = "http://127.0.0.1:9"
const Server = require(path.join(root, "server"))
const server = new Server({
  newsfeed: () => nowhere, profile: () => nowhere, site: nowhere, discover_dark: nowhere, discover_light: nowhere,
  portal: nowhere, docs: nowhere, install: nowhere, agent: "web",
  store: {
    store: memory,
    get: (key) => memory[key],
    set: (key, value) => { memory[key] = value },
    delete: (key) => { delete memory[key] },
  },
})
server.port = Number(process.env.PINOKIO_TEST_PORT)
server.start({ debug: true }).catch((error) => { console.error(error); process.exit(1) })
