// The plugin: the start page as a tab of JupyterLab, with its command and launcher card.
import { StartPage } from "./page.js";

const OPEN = "kamp:start";
const NAMES = { ko: "시작", en: "Start" };

export async function plugins(use, here) {
  const [application, apputils, launcher, translation, services, widgets] = await Promise.all([
    use("@jupyterlab/application"),
    use("@jupyterlab/apputils"),
    use("@jupyterlab/launcher"),
    use("@jupyterlab/translation"),
    use("@jupyterlab/services"),
    use("@lumino/widgets"),
  ]);
  const { ILabShell, ILayoutRestorer } = application;
  const { ICommandPalette, WidgetTracker } = apputils;

  function activate(app, shell, palette, cards, restorer, translator) {
    const spoken = translator?.languageCode || document.documentElement.lang || "";
    const page = new StartPage({
      commands: app.commands,
      connection: services.ServerConnection,
      settings: app.serviceManager.serverSettings,
      language: /^en/i.test(spoken) && !/^ko/i.test(spoken) ? "en" : "ko",
    });
    const name = NAMES[page.language];
    const tracker = new WidgetTracker({ namespace: "kamp-start" });
    let widget = null;

    function open() {
      if (!widget || widget.isDisposed) {
        widget = new widgets.Widget();
        widget.id = "kamp-start";
        widget.addClass("kamp-start");
        widget.title.label = name;
        widget.title.caption = "KAMP 워크벤치";
        widget.title.closable = true;
        page.attach(widget.node);
        tracker.add(widget);
      }
      if (!widget.isAttached) {
        app.shell.add(widget, "main", { mode: "tab-before" });
      }
      app.shell.activateById(widget.id);
      page.refresh();
    }

    app.commands.addCommand(OPEN, { label: name, caption: "KAMP 워크벤치", execute: open });
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
        open();
      });
    }
  }

  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = `${here}start.css`;
  document.head.appendChild(sheet);

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
