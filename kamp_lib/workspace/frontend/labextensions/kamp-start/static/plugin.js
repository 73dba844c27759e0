// The plugin: the start page as a tab of JupyterLab, with its command and launcher card.
import { StartPage } from "./page.js";

const OPEN = "kamp:start";
const NARROW = 760; // pixels
// a factory roof over a rising line
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
  '<path class="jp-icon3" fill="#616161" d="M2 21V10l6 4v-4l6 4V6l8-4v19H2z"/>' +
  '<path fill="none" stroke="#fff" stroke-width="1.8" d="M5 18l4-2 4 1.5 6-6"/></svg>';
const NAMES = { ko: "시작", en: "Start" };

function styleSheet(href) {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = href;
  document.head.appendChild(sheet);
}

export async function plugins(use, here) {
  const [application, apputils, launcher, translation, services, components, widgets] =
    await Promise.all([
      use("@jupyterlab/application"),
      use("@jupyterlab/apputils"),
      use("@jupyterlab/launcher"),
      use("@jupyterlab/translation"),
      use("@jupyterlab/services"),
      use("@jupyterlab/ui-components"),
      use("@lumino/widgets"),
    ]);
  const { ILabShell, ILayoutRestorer } = application;
  const { ICommandPalette, WidgetTracker } = apputils;

  const icon = new components.LabIcon({ name: "kamp:start", svgstr: ICON });

  function activate(app, shell, palette, cards, restorer, translator) {
    const page = new StartPage({
      open: (path) => app.commands.execute("docmanager:open", { path }),
      connection: services.ServerConnection,
      settings: app.serviceManager.serverSettings,
      spoken: /^en/i.test(translator?.languageCode || "ko") ? "en" : "ko",
    });
    const tracker = new WidgetTracker({ namespace: "kamp-start" });
    let widget = null;

    function made() {
      if (!widget || widget.isDisposed) {
        widget = new widgets.Widget({ node: document.createElement("div") });
        widget.id = "kamp-start";
        widget.addClass("kamp-start");
        widget.title.closable = true;
        widget.title.icon = icon;
        page.attach(widget.node);
        tracker.add(widget);
      }
      widget.title.label = NAMES[page.language];
      return widget;
    }

    function open() {
      made();
      if (!widget.isAttached) {
        app.shell.add(widget, "main", { mode: "tab-before" });
      }
      app.shell.activateById(widget.id);
      page.refresh();
    }

    page.onLanguage = () => made();
    app.commands.addCommand(OPEN, {
      label: () => NAMES[page.language],
      caption: "KAMP",
      icon,
      execute: open,
    });
    palette?.addItem({ command: OPEN, category: "KAMP" });
    cards?.add({ command: OPEN, category: "KAMP", rank: 0 });
    restorer?.restore(tracker, { command: OPEN, name: () => "kamp-start" });

    if (shell) {
      // Asked before the launcher is, so that an empty JupyterLab shows the start page.
      let ready = false;
      shell.layoutModified.connect(() => {
        if (ready && shell.isEmpty("main")) {
          open();
        }
      });
      app.restored.then(() => {
        ready = true;
        if (window.innerWidth < NARROW) {
          shell.collapseLeft(); // a phone has no room for the files beside the page
        }
        open();
      });
    }
  }

  styleSheet(`${here}start.css`);
  return [
    {
      id: "kamp-start:plugin",
      description: "The start page of KAMP Workbench.",
      autoStart: true,
      optional: [
        ILabShell,
        ICommandPalette,
        launcher.ILauncher,
        ILayoutRestorer,
        translation.ITranslator,
      ],
      activate,
    },
  ];
}
