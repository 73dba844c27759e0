// What the tab shows: pieces of HTML that the server renders, and what their buttons do.
//
// Every button says in `data-act` which method of `Acts` it means. Nothing here builds
// HTML from words of a company's files; the server has escaped whatever it sends.
import { acts, formChoices, formParameters } from "./acts.js";
import { Intake } from "./intake.js";
import { Server } from "./server.js";
import { chosen } from "./upload.js";

const LANGUAGE = "kamp-language"; // where the browser remembers the reader's choice
const EVERY_MS = 1000; // how often running jobs are asked for
const WORDS = {
  ko: {
    offline: "작업공간 서버에 연결하지 못했습니다. 잠시 뒤 다시 시도하세요.",
    retry: "다시 시도",
    sending: "올리는 중",
    stop: "중단",
    leave: "파일을 올리고 있습니다. 나가면 처음부터 다시 올려야 합니다.",
    discard: "올린 파일을 버릴까요? 저장된 데이터는 그대로입니다.",
    close: "닫기",
  },
  en: {
    offline: "The workspace server cannot be reached. Try again in a moment.",
    retry: "Try again",
    sending: "Uploading",
    stop: "Stop",
    leave: "Files are being uploaded. If you leave, they have to be sent again.",
    discard: "Discard the uploaded files? What is stored stays.",
    close: "Close",
  },
};

function remembered() {
  try {
    return localStorage.getItem(LANGUAGE);
  } catch {
    return null; // a browser that keeps nothing
  }
}

export class StartPage {
  constructor({ open, connection, settings, spoken }) {
    const told = remembered();
    this.language = told === "ko" || told === "en" ? told : spoken;
    this.openPath = open;
    this.server = new Server(connection, settings, () => this.language);
    this.view = "start";
    this.states = new Map(); // of jobs, to see which have ended
    this.timer = null;
    this.onLanguage = () => {};
  }

  get words() {
    return WORDS[this.language];
  }

  attach(node) {
    node.innerHTML =
      '<div class="kamp-page" tabindex="-1"><div data-place="said" role="alert"></div>' +
      '<div data-place="sending"></div><div data-place="jobs"></div>' +
      '<div data-place="view"></div>' +
      '<input type="file" multiple hidden data-pick="files">' +
      '<input type="file" multiple hidden webkitdirectory data-pick="folder"></div>';
    this.node = node;
    node.addEventListener("click", (event) => this.clicked(event));
    node.addEventListener("submit", (event) => this.submitted(event));
    node.addEventListener("change", (event) => this.changed(event));
    node.addEventListener("focusin", (event) => this.focused(event));
    this.intake = new Intake(this);
    this.intake.acceptDrops(node);
  }

  place(name) {
    return this.node.querySelector(`[data-place="${name}"]`);
  }

  // --- views ---------------------------------------------------------------------------

  async refresh() {
    await Promise.all([this.show(this.view), this.followJobs()]);
  }

  // Shows a view; what takes longer (`data-fill`) follows by itself.
  async show(view) {
    const moved = view !== this.view;
    this.view = view;
    await this.guarded(async () => {
      const html = await this.fetched(view);
      if (this.view !== view) {
        return; // the person has gone on meanwhile
      }
      this.place("view").innerHTML = html;
      this.node.lang = this.language;
      if (moved) {
        this.node.scrollTop = 0;
      }
      this.hideSeenJobs();
      await this.fill();
    });
  }

  // What is not there any more (its server was restarted) leads back to the start.
  async fetched(view) {
    try {
      return await this.server.html(`view/${view}`);
    } catch (error) {
      if (error.status === 400 && view !== "start") {
        await this.show("start");
      }
      throw error;
    }
  }

  async fill() {
    const places = [...this.place("view").querySelectorAll("[data-fill]")];
    await Promise.all(
      places.map(async (place) => {
        const html = await this.server.html(place.dataset.fill);
        if (place.isConnected) {
          place.innerHTML = html;
        }
      }),
    );
  }

  // --- what is said to the person -----------------------------------------------------

  say(sentence, retry = null) {
    const place = this.place("said");
    place.replaceChildren();
    if (!sentence) {
      return;
    }
    const box = document.createElement("section");
    box.className = "card bad said";
    const words = document.createElement("p");
    words.className = "error grow";
    words.textContent = sentence;
    box.append(words);
    if (retry) {
      box.append(this.button(this.words.retry, retry));
    }
    box.append(this.button("✕", () => this.say(""), this.words.close));
    place.append(box);
    box.scrollIntoView({ block: "nearest" });
  }

  button(label, act, title = "") {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    made.addEventListener("click", act);
    return made;
  }

  // Does something that may be refused; the person reads why.
  async guarded(work) {
    try {
      this.say("");
      return await work();
    } catch (error) {
      if (error.name === "AbortError") {
        return null;
      }
      const known = error.status !== undefined;
      this.say(known ? error.message : this.words.offline, known ? null : () => this.refresh());
      if (!known) {
        console.warn("kamp-start:", error);
      }
      return null;
    }
  }

  // --- jobs -----------------------------------------------------------------------------

  // Draws the list of jobs, and comes back as long as any works; an idle page asks nothing.
  async followJobs() {
    clearTimeout(this.timer);
    let told;
    try {
      told = await this.server.json("jobs");
    } catch {
      this.timer = setTimeout(() => this.followJobs(), 10 * EVERY_MS);
      return;
    }
    const place = this.place("jobs");
    if (place.dataset.html !== told.html) {
      place.dataset.html = told.html;
      place.innerHTML = told.html;
    }
    this.hideSeenJobs();
    const ended = told.jobs.filter(
      (job) =>
        ["done", "failed", "stopped"].includes(job.state) &&
        ["waiting", "running"].includes(this.states.get(job.id)),
    );
    this.states = new Map(told.jobs.map((job) => [job.id, job.state]));
    if (ended.length && this.concerned(ended)) {
      await this.show(this.view);
    }
    if (told.busy && this.node.isConnected) {
      const pause = document.hidden ? 10 * EVERY_MS : EVERY_MS;
      this.timer = setTimeout(() => this.followJobs(), pause);
    }
  }

  // How a job has ended stands in its own view already.
  hideSeenJobs() {
    const rows = [...this.place("jobs").querySelectorAll(".job")];
    for (const row of rows) {
      const seen = this.view === `intake/${row.dataset.subject}`;
      row.hidden = seen && !row.matches(".running, .waiting");
    }
    this.place("jobs").hidden = rows.every((row) => row.hidden);
  }

  concerned(jobs) {
    if (this.view === "start") {
      return true;
    }
    return jobs.some((job) => this.view === `intake/${job.subject}`);
  }

  // --- events ---------------------------------------------------------------------------

  clicked(event) {
    const target = event.target.closest("[data-act]");
    if (!target || !this.node.contains(target) || target.disabled) {
      return;
    }
    const act = acts[target.dataset.act];
    if (act) {
      event.preventDefault();
      this.guarded(() => act(this, target.dataset, target));
    }
  }

  submitted(event) {
    event.preventDefault();
    const form = event.target;
    const pressed = event.submitter;
    // not `form.dataset`: the form has a field of that name
    const kind = form.getAttribute("data-form");
    if (kind === "run") {
      this.guarded(() => this.startRun(form));
    } else if (kind === "intake") {
      this.guarded(() => this.work(form, pressed?.dataset.do || "look"));
    }
  }

  async startRun(form) {
    for (const shown of form.querySelectorAll("[data-error]")) {
      shown.hidden = true;
    }
    try {
      await this.server.send("runs", formParameters(form));
    } catch (error) {
      for (const [name, sentence] of Object.entries(error.fields || {})) {
        const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
        const shown = field?.querySelector("[data-error]");
        if (shown) {
          shown.textContent = sentence;
          shown.hidden = false;
          field.closest("details")?.setAttribute("open", "");
        }
      }
      throw error;
    }
    this.view = "start";
    await this.refresh();
  }

  async work(form, what) {
    const id = form.getAttribute("data-upload");
    await this.server.send(`uploads/${id}/${what}`, formChoices(form));
    await this.refresh();
  }

  changed(event) {
    const target = event.target;
    if (target.dataset.pick) {
      const files = chosen(target.files);
      target.value = "";
      this.intake.bringIn(files);
    } else if (target.dataset.change === "model") {
      const form = target.form;
      const [model, dataset] = [form.elements.model.value, form.elements.dataset.value];
      this.show(`model/${model}?dataset=${encodeURIComponent(dataset)}`);
    }
  }

  // The lists of standard columns are filled when they are first touched: a file may have
  // thousands of columns.
  focused(event) {
    const list = event.target;
    if (!(list instanceof HTMLSelectElement) || !("standard" in list.dataset)) {
      return;
    }
    if (list.dataset.filled) {
      return;
    }
    list.dataset.filled = "yes";
    const value = list.value;
    const all = this.node.querySelector("template[data-standards]");
    list.replaceChildren(all.content.cloneNode(true));
    list.value = value;
  }

  setLanguage(language) {
    this.language = language;
    try {
      localStorage.setItem(LANGUAGE, language);
    } catch {
      // it holds until the page is closed
    }
    this.place("jobs").dataset.html = "";
    this.onLanguage();
    return this.refresh();
  }
}
