// What JupyterHub's own pages put into an inline script: read from the page's attributes
// instead, so that the page needs no inline script at all.
(function () {
  "use strict";
  const data = document.body.dataset;
  window.jhdata = {
    base_url: data.baseUrl,
    prefix: data.prefix,
    user: data.user,
    admin_access: data.room === "admin",
    options_form: false,
    xsrf_token: data.xsrf,
  };
  window.base_url = data.baseUrl;
  window.api_page_limit = parseInt(data.pageLimit, 10) || 50;
  require.config({
    urlArgs: data.version ? "v=" + data.version : "",
    baseUrl: data.scripts,
    paths: {
      components: "../components",
      jquery: "../components/jquery/dist/jquery.min",
      "js-sha256": "../components/js-sha256/build/sha256.min",
      moment: "../components/moment/moment",
    },
  });
  if (data.room === "token") require(["token"]);
})();
