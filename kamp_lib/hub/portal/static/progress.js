// Follows the start of a server, event by event, and goes on when it is ready.
(function () {
  "use strict";
  const waiting = document.getElementById("waiting");
  const bar = document.getElementById("progress-bar");
  const message = document.getElementById("progress-message");
  const events = new EventSource(waiting.dataset.progress);
  const slow = setTimeout(function () {
    message.textContent = waiting.dataset.slow;
  }, 25000);

  function ended() {
    events.close();
    clearTimeout(slow);
  }

  events.onmessage = function (event) {
    const said = JSON.parse(event.data);
    if (typeof said.progress === "number") bar.value = said.progress;
    if (said.ready) {
      ended();
      // the page itself knows where to go
      window.location.reload();
    } else if (said.failed) {
      ended();
      const why = document.getElementById("failed-message");
      why.textContent = said.message || "";
      why.hidden = !said.message;
      waiting.hidden = true;
      document.getElementById("failed").hidden = false;
    } else if (said.message) {
      message.textContent = said.message;
    }
  };
  events.onerror = function () {
    if (events.readyState === EventSource.CLOSED) {
      ended();
      message.textContent = waiting.dataset.lost;
    }
  };
})();
