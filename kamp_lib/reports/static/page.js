/* The widgets of a decision page: drawn from the state that the page brings along, and
   kept in step with its kernel. It knows the few kinds of widgets that our pages are made
   of and speaks ipywidgets' own messages; a page with any other widget is shown by
   Voilà's front end, which knows them all and takes a second longer. */
(function () {
  "use strict";
  const PROTOCOL = "v1.kernel.websocket.jupyter.org";
  const REFERENCE = "IPY_MODEL_";
  const YOUNG_MS = 20000;
  const session = crypto.getRandomValues(new Uint32Array(4)).join("-");
  let states, parts, line, root;

  // -- messages ---------------------------------------------------------------

  function pack(kind, content) {
    const header = { msg_id: session + "-" + (line.said += 1), msg_type: kind, session: session,
                     username: "", version: "5.3", date: new Date().toISOString() };
    const texts = ["shell", JSON.stringify(header), "{}", "{}", JSON.stringify(content)];
    const encoder = new TextEncoder();
    const pieces = texts.map(function (text) { return encoder.encode(text); });
    const begin = 8 * (pieces.length + 2);
    const size = pieces.reduce(function (sum, piece) { return sum + piece.length; }, begin);
    const packed = new Uint8Array(size);
    const numbers = new DataView(packed.buffer);
    let at = begin;
    numbers.setBigUint64(0, BigInt(pieces.length + 1), true);
    pieces.forEach(function (piece, index) {
      numbers.setBigUint64(8 * (index + 1), BigInt(at), true);
      packed.set(piece, at);
      at += piece.length;
    });
    numbers.setBigUint64(8 * (pieces.length + 1), BigInt(at), true);
    return { id: header.msg_id, bytes: packed };
  }

  function unpack(buffer) {
    const numbers = new DataView(buffer);
    const at = function (index) { return Number(numbers.getBigUint64(8 * (index + 1), true)); };
    const part = function (index) {
      return JSON.parse(new TextDecoder().decode(buffer.slice(at(index), at(index + 1))));
    };
    return { kind: part(1).msg_type, to: part(2).msg_id, content: part(4) };
  }

  // -- the channel to the kernel ----------------------------------------------

  function Line(kernel) {
    this.kernel = kernel;
    this.said = 0;
    this.waiting = []; // said before the channel was open
    this.busy = new Map(); // widget -> id of the message that the kernel works on
    this.next = new Map(); // widget -> what to say when it has done so
  }
  Line.prototype.open = function () {
    const self = this;
    const address = new URL(this.kernel + "/channels?session_id=" + session, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, [PROTOCOL]);
    socket.binaryType = "arraybuffer";
    socket.onopen = function () {
      self.socket = socket;
      self.waiting.splice(0).forEach(function (bytes) { socket.send(bytes); });
    };
    socket.onmessage = function (event) { self.hear(unpack(event.data)); };
    socket.onclose = function () {
      self.socket = undefined;
      setTimeout(function () { self.again(); }, 1000);
    };
  };
  Line.prototype.again = function () {
    const self = this;
    if (document.hidden) { return; } // whoever comes back to the page asks then
    fetch(this.kernel).then(function (answer) {
      if (answer.ok) { if (!self.socket) { self.open(); } } else { gone(); }
    }).catch(function () {
      document.body.classList.add("kamp-late");
      setTimeout(function () { self.again(); }, 5000);
    });
  };
  Line.prototype.say = function (id, data) {
    const message = pack("comm_msg", { comm_id: id, data: data });
    if (this.socket) { this.socket.send(message.bytes); } else { this.waiting.push(message.bytes); }
    return message.id;
  };
  // a slider that is dragged says where it is, not everywhere it has been
  Line.prototype.put = function (id, state) {
    if (this.busy.has(id)) { this.next.set(id, state); return; }
    this.busy.set(id, this.say(id, { method: "update", state: state, buffer_paths: [] }));
  };
  Line.prototype.hear = function (message) {
    const content = message.content;
    document.body.classList.remove("kamp-late");
    if (message.kind === "comm_msg" && content.data.method === "update" && parts.has(content.comm_id)) {
      change(content.comm_id, content.data.state);
    }
    if (message.kind !== "status" || content.execution_state !== "idle") { return; }
    for (const [id, said] of this.busy) {
      if (said !== message.to) { continue; }
      this.busy.delete(id);
      const next = this.next.get(id);
      this.next.delete(id);
      if (next) { this.put(id, next); }
    }
  };

  // -- the widgets ------------------------------------------------------------

  function make(tag, classes) {
    const node = document.createElement(tag);
    node.className = classes;
    return node;
  }
  function box(id, state, kind) {
    const node = make("div", "jupyter-widgets widget-box " + kind);
    state.children.forEach(function (child, index) {
      const part = draw(child.slice(REFERENCE.length));
      const field = part.matches("input") ? part : part.querySelector(":scope > input");
      if (field && index) { // what stands before a field says what it is
        const label = node.lastChild;
        label.id = label.id || "kamp-label-" + child.slice(REFERENCE.length);
        field.setAttribute("aria-labelledby", label.id);
      }
      node.append(part);
    });
    return { node: node, put: {} };
  }
  function html(id, state) {
    const node = make("div", "jupyter-widgets widget-html");
    const inner = node.appendChild(make("div", "widget-html-content"));
    inner.innerHTML = state.value;
    return { node: node, put: { value: function (value) { inner.innerHTML = value; } } };
  }
  function button(id, state) {
    const node = make("button", "jupyter-widgets jupyter-button widget-button");
    node.textContent = state.description;
    node.onclick = function () { line.say(id, { method: "custom", content: { event: "click" } }); };
    return { node: node, put: { description: function (text) { node.textContent = text; } } };
  }
  function choices(id, state) {
    const node = make("div", "jupyter-widgets widget-toggle-buttons");
    const buttons = state._options_labels.map(function (label, index) {
      const each = node.appendChild(make("button", "jupyter-button widget-toggle-button"));
      each.textContent = label;
      each.onclick = function () { show(index); line.put(id, { index: index }); };
      return each;
    });
    function show(chosen) {
      buttons.forEach(function (each, index) {
        each.classList.toggle("mod-active", index === chosen);
        each.setAttribute("aria-pressed", String(index === chosen));
      });
    }
    show(state.index);
    return { node: node, put: { index: show } };
  }
  function slider(id, state) {
    const node = make("div", "jupyter-widgets widget-slider");
    const bar = node.appendChild(make("input", "kamp-bar"));
    bar.type = "range";
    bar.setAttribute("role", "slider");
    bar.min = state.min;
    bar.max = state.max;
    bar.step = state.step || 1;
    bar.value = state.value;
    bar.oninput = function () { line.put(id, { value: Number(bar.value) }); };
    return { node: node, put: { value: function (value) {
      if (!line.busy.has(id)) { bar.value = value; }
    } } };
  }
  function number(id, state) {
    const node = make("div", "jupyter-widgets widget-text");
    const field = node.appendChild(make("input", ""));
    field.type = "number";
    field.step = "any";
    field.value = state.value;
    let last = state.value;
    field.onchange = function () {
      const given = field.value === "" ? NaN : Number(field.value);
      if (Number.isNaN(given)) { field.value = last; return; }
      last = Math.min(Math.max(given, state.min), state.max);
      field.value = last;
      line.put(id, { value: last });
    };
    return { node: node, put: { value: function (value) { last = value; field.value = value; } } };
  }
  const KINDS = {
    BoxModel: function (id, state) { return box(id, state, ""); },
    VBoxModel: function (id, state) { return box(id, state, "widget-vbox"); },
    HTMLModel: html,
    ButtonModel: button,
    ToggleButtonsModel: choices,
    FloatSliderModel: slider,
    IntSliderModel: slider,
    BoundedFloatTextModel: number
  };
  function draw(id) {
    const model = states[id];
    const part = KINDS[model.model_name](id, model.state);
    part.node.classList.add(...(model.state._dom_classes || []));
    const layout = states[model.state.layout.slice(REFERENCE.length)].state;
    if (layout.display) { part.node.style.display = layout.display; }
    parts.set(id, part);
    return part.node;
  }
  function change(id, state) {
    const put = parts.get(id).put;
    Object.keys(state).forEach(function (name) { if (put[name]) { put[name](state[name]); } });
  }

  // -- the page ---------------------------------------------------------------

  function gone() { // its kernel has ended: what comes next is a new page
    if (performance.now() > YOUNG_MS) { location.reload(); } else { document.body.classList.add("kamp-late"); }
  }
  function leave() {
    const said = new FormData();
    const cookie = document.cookie.match("\\b_xsrf=([^;]*)\\b");
    said.append("_xsrf", cookie ? cookie[1] : "");
    navigator.sendBeacon(root.dataset.close, said);
  }
  function begin() {
    const told = document.getElementById("kamp-state");
    if (!told || root) { return; }
    root = document.getElementById("rendered_cells");
    states = JSON.parse(told.textContent);
    parts = new Map();
    line = new Line(root.dataset.kernel);
    document.getElementById("kamp-cells").append(draw(root.dataset.page));
    window.kampReady();
    line.open();
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", function () {
      if (!document.hidden && !line.socket) { line.again(); }
    });
  }
  window.kampBegin = begin;
  begin();
})();
