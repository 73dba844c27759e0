// Talks to the addresses below /kamp/ of this workspace's own server.

// An answer that is no success, with the sentence that the server gives for people.
export class Refused extends Error {
  constructor(message, status, fields) {
    super(message);
    this.status = status;
    this.fields = fields || {};
  }
}

export class Server {
  constructor(connection, settings, language) {
    this.connection = connection;
    this.settings = settings;
    this.language = language; // a function: it may change
  }

  url(path) {
    const joint = path.includes("?") ? "&" : "?";
    return `${this.settings.baseUrl}kamp/${path}${joint}lang=${this.language()}`;
  }

  // JupyterLab's own request adds the token against forged requests.
  async ask(path, options = {}) {
    const answer = await this.connection.makeRequest(this.url(path), options, this.settings);
    if (!answer.ok) {
      let said = {};
      try {
        said = await answer.json();
      } catch {
        // a proxy between us may answer with a page of its own
      }
      throw new Refused(said.message || `HTTP ${answer.status}`, answer.status, said.fields);
    }
    return answer;
  }

  async html(path) {
    return (await this.ask(path)).text();
  }

  async json(path) {
    return (await this.ask(path)).json();
  }

  async send(path, body = {}, method = "POST") {
    const options = { method, body: JSON.stringify(body) };
    return (await this.ask(path, options)).json();
  }

  async piece(path, blob, signal) {
    const headers = { "Content-Type": "application/octet-stream" };
    return (await this.ask(path, { method: "PUT", body: blob, headers, signal })).json();
  }
}
