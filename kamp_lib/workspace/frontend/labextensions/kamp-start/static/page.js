// What the tab shows: pieces of HTML that the server renders.
export class StartPage {
  constructor({ commands, connection, settings, language }) {
    this.commands = commands;
    this.connection = connection;
    this.settings = settings;
    this.language = language;
    this.node = null;
  }

  attach(node) {
    this.node = node;
  }

  async refresh() {
    const url = `${this.settings.baseUrl}kamp/start?lang=${this.language}`;
    const answer = await this.connection.makeRequest(url, {}, this.settings);
    this.node.innerHTML = await answer.text();
  }
}
