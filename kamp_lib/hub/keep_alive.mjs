// Loaded into the proxy before it starts: connections to unix sockets are kept alive.
//
// The proxy has agents for ports only. Without one, each request asks its server to close
// the connection after the answer, and an answer that overtakes the end of its request's
// body (a quick refusal, say) ends as `write EPIPE`, which the proxy shows as 503: with our
// sockets, about one quick POST in two hundred.
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const program = realpathSync(process.argv[1]);
const module = createRequire(program).resolve("../lib/configproxy.js");
const { ConfigurableProxy } = await import(pathToFileURL(module));

const asBefore = ConfigurableProxy.prototype.proxyOptsForTarget;
ConfigurableProxy.prototype.proxyOptsForTarget = function (target) {
  return { agent: this.httpAgent, ...asBefore.call(this, target) };
};
