// The container that JupyterLab loads (webpack's module federation, written by hand):
// `init` hands us the modules that JupyterLab shares, `get` gives it our plugins.
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  let shared = {};

  // The newest version of a module that JupyterLab shares.
  async function use(name) {
    const versions = shared[name] || {};
    const newest = Object.keys(versions).sort((a, b) =>
      a.localeCompare(b, "en", { numeric: true }),
    ).pop();
    if (!newest) {
      throw new Error(`kamp-start: JupyterLab does not share ${name}`);
    }
    const make = await versions[newest].get();
    return make();
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["kamp-start"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async (module) => {
      if (module !== "./extension") {
        throw new Error(`kamp-start: there is no ${module}`);
      }
      const { plugins } = await import(`${here}plugin.js`);
      const ours = await plugins(use, here);
      return () => ({ __esModule: true, default: ours });
    },
  };
})();
