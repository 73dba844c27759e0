// Files on their way in: dropped or chosen, sent, and looked at.
import { dropped, upload } from "./upload.js";

export class Intake {
  constructor(page) {
    this.page = page;
  }

  acceptDrops(node) {
    const over = (on) => node.classList.toggle("kamp-over", on);
    const files = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    node.addEventListener("dragover", (event) => {
      if (files(event)) {
        event.preventDefault();
        event.stopPropagation();
        over(true);
      }
    });
    node.addEventListener("dragleave", (event) => {
      if (!node.contains(event.relatedTarget)) {
        over(false);
      }
    });
    node.addEventListener("drop", (event) => {
      over(false);
      if (files(event)) {
        event.preventDefault();
        event.stopPropagation();
        const gathered = dropped(event.dataTransfer);
        gathered.then((found) => this.bringIn(found));
      }
    });
  }

  async bringIn(files) {
    if (!files.length) {
      return;
    }
    const stop = new AbortController();
    const show = this.sendingCard(() => stop.abort());
    const leaving = (event) => event.preventDefault();
    window.addEventListener("beforeunload", leaving);
    let begun = null;
    const id = await this.page.guarded(() =>
      upload(this.page.server, files, {
        signal: stop.signal,
        tell: show,
        begun: (made) => {
          begun = made;
        },
      }),
    );
    window.removeEventListener("beforeunload", leaving);
    show.remove();
    if (id) {
      await this.page.show(`intake/${id}`);
      await this.lookAtOnce();
    } else if (begun) {
      await this.page.server.send(`uploads/${begun}`, {}, "DELETE").catch(() => null);
    }
  }

  // When the machine is clear, there is nothing to ask before the first look.
  async lookAtOnce() {
    const form = this.page.place("view").querySelector('form[data-form="intake"]');
    if (form && form.elements.equipment.value) {
      await this.page.guarded(() => this.page.work(form, "look"));
    }
  }

  sendingCard(stop) {
    const card = document.createElement("section");
    card.className = "card";
    const title = document.createElement("p");
    title.setAttribute("role", "status");
    const bar = document.createElement("div");
    bar.className = "bar";
    const done = document.createElement("i");
    bar.append(done);
    card.append(title, bar, this.page.button(this.page.words.stop, stop));
    this.page.place("sending").append(card);
    const size = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;
    const show = (name, sent, all) => {
      title.textContent = `${this.page.words.sending}: ${name} · ${size(sent)} / ${size(all)}`;
      done.style.width = `${all ? (100 * sent) / all : 100}%`;
    };
    show("…", 0, 0);
    show.remove = () => card.remove();
    return show;
  }
}
