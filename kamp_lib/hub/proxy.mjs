// Loaded into the proxy before it starts (`node --import`): two things that it lacks.
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Connections to unix sockets are kept alive. The proxy does so for ports only; without it,
// each request asks its server to close the connection after the answer, and an answer that
// overtakes the end of its request's body (a quick refusal, say) ends as `write EPIPE`,
// shown as 503: with our sockets, about one quick POST in two hundred.
const program = realpathSync(process.argv[1]);
const module = createRequire(program).resolve("../lib/configproxy.js");
const { ConfigurableProxy } = await import(pathToFileURL(module));

const asBefore = ConfigurableProxy.prototype.proxyOptsForTarget;
ConfigurableProxy.prototype.proxyOptsForTarget = function (target) {
  return { agent: this.httpAgent, ...asBefore.call(this, target) };
};

// It ends with its hub, however that ends: one that stays would hold the port.
const hub = process.ppid;
setInterval(() => process.ppid === hub || process.exit(2), 500).unref();
