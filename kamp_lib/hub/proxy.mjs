// Loaded into the proxy before it starts (`node --import`): two things that it lacks.
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Connections to servers are kept alive, whatever the visitor asked for its own. The proxy
// does so for ports only, and hands on a visitor's `Connection: close` (a header for one hop).
// Without it, a server closes the connection after its answer, and an answer that overtakes
// the end of its request's body (a quick refusal, say) ends as `write EPIPE`, shown as 503:
// with our sockets, one quick POST in ten.
const program = realpathSync(process.argv[1]);
const module = createRequire(program).resolve("../lib/configproxy.js");
const { ConfigurableProxy } = await import(pathToFileURL(module));
const { handleProxyWeb, proxyOptsForTarget } = ConfigurableProxy.prototype;

ConfigurableProxy.prototype.handleProxyWeb = function (request, answer) {
  delete request.headers.connection;
  return handleProxyWeb.call(this, request, answer);
};

ConfigurableProxy.prototype.proxyOptsForTarget = function (target) {
  return { agent: this.httpAgent, ...proxyOptsForTarget.call(this, target) };
};

// It ends with its hub, however that ends: one that stays would hold the port.
const hub = process.ppid;
setInterval(() => process.ppid === hub || process.exit(2), 500).unref();
