// What each button does, by its `data-act`; and what a form says.

export const acts = {
  show: (page, { view }) => page.show(view),
  open: (page, { path }) => page.openPath(path),
  language: (page) => page.setLanguage(page.language === "ko" ? "en" : "ko"),
  "pick-files": (page) => page.node.querySelector('[data-pick="files"]').click(),
  "pick-folder": (page) => page.node.querySelector('[data-pick="folder"]').click(),

  async run(page, { model, dataset }, button) {
    button.disabled = true;
    try {
      await page.server.send("runs", { model, dataset });
      await page.followJobs();
    } finally {
      button.disabled = false;
    }
  },

  async publish(page, { run }) {
    await page.server.send(`runs/${run}/publish`);
    await page.followJobs();
  },

  async withdraw(page, { run }) {
    await page.server.send(`runs/${run}/withdraw`);
    await page.followJobs();
  },

  async undo(page, { dataset, version, upload }) {
    const told = { version: Number(version), upload };
    await page.server.send(`datasets/${dataset}/undo`, told);
    await page.refresh();
  },

  async discard(page, { upload }) {
    if (window.confirm(page.words.discard)) {
      await acts.another(page, { upload });
    }
  },

  async another(page, { upload }) {
    await page.server.send(`uploads/${upload}`, {}, "DELETE");
    page.view = "start";
    await page.refresh();
  },

  async cancel(page, { job }, button) {
    button.disabled = true;
    await page.server.send(`jobs/${job}/cancel`);
    await page.followJobs();
  },

  async dismiss(page, { job }) {
    await page.server.send(`jobs/${job}`, {}, "DELETE");
    await page.followJobs();
  },

  // "Yes, it is that standard column."
  accept(page, { name }, button) {
    const list = button.closest("tr").querySelector("[data-standard]");
    list.focus();
    list.value = name;
  },
};

// The form of an analysis: model, data set and every parameter as it is written.
export function formParameters(form) {
  const { model, dataset, ...parameters } = Object.fromEntries(new FormData(form));
  return { model, dataset, parameters };
}

// The form of an upload; of the columns only those that the person changed.
export function formChoices(form) {
  const told = Object.fromEntries(new FormData(form));
  const { fix, labels, ...rest } = told;
  const choices = { ...rest, replace: "replace" in told };
  if (labels) {
    choices.labels = Number(labels);
  }
  const boxes = [...form.querySelectorAll('input[name="fix"]')];
  if (boxes.length) {
    const ticked = boxes.filter((box) => box.checked).map((box) => box.value);
    choices.fixes = [...new Set(ticked)];
  }
  choices.edits = {};
  for (const row of form.querySelectorAll("tr[data-column]")) {
    const list = row.querySelector("[data-standard]");
    const unit = row.querySelector("[data-unit]");
    const edit = {};
    if (list.value !== list.dataset.shown) {
      // no standard column: the column's own name
      edit.name = list.value || row.dataset.column;
    }
    if (unit.value.trim() !== unit.dataset.shown) {
      edit.unit = unit.value.trim();
    }
    if (Object.keys(edit).length) {
      choices.edits[row.dataset.column] = edit;
    }
  }
  return choices;
}
