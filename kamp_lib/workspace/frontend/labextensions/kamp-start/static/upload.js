// Files on their way to the server: gathered from a drop or a choice, sent in pieces.

const AT_ONCE = 3; // requests; more only wait for each other
const TRIES = 4; // of one piece, before giving up
const NOISE = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX\/.*)$/i;

// Everything that was dropped, folders included, as [{name, file}].
export async function dropped(transfer) {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry);
  if (!entries.length) {
    return chosen(transfer.files);
  }
  const found = [];
  for (const entry of entries) {
    await gather(entry, "", found);
  }
  return found.filter(({ name }) => !NOISE.test(name));
}

// What a file dialogue gave; a chosen folder keeps its name.
export function chosen(files) {
  return [...files]
    .map((file) => ({ name: file.webkitRelativePath || file.name, file }))
    .filter(({ name }) => !NOISE.test(name));
}

async function gather(entry, above, found) {
  const name = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    found.push({ name, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) {
      return;
    }
    for (const inner of some) {
      await gather(inner, `${name}/`, found);
    }
  }
}

// Sends the files; `tell(name, sent, all)` hears how far it is. Gives the upload's id.
export async function upload(server, files, { tell, signal, begun }) {
  const announced = files.map(({ name, file }) => ({ name, size: file.size }));
  const { upload: id, piece } = await server.send("uploads", { files: announced });
  begun(id);
  const all = files.reduce((sum, { file }) => sum + file.size, 0);
  let sent = 0;
  let next = 0;

  async function sendFile(number) {
    const { name, file } = files[number];
    for (let offset = 0; offset < file.size; offset += piece) {
      const blob = file.slice(offset, offset + piece);
      await sendPiece(server, `uploads/${id}/${number}?offset=${offset}`, blob, signal);
      sent += blob.size;
      tell(name, sent, all);
    }
  }

  async function worker() {
    while (next < files.length) {
      try {
        await sendFile(next++);
      } catch (error) {
        next = files.length; // the others stop too
        throw error;
      }
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return id;
}

// A connection that breaks off is tried again; what the server refuses is not.
async function sendPiece(server, path, blob, signal) {
  for (let tried = 1; ; tried++) {
    try {
      return await server.piece(path, blob, signal);
    } catch (error) {
      if (signal.aborted) {
        throw new DOMException("stopped", "AbortError");
      }
      if (error.status || tried === TRIES) {
        throw error;
      }
      await new Promise((done) => setTimeout(done, 500 * 2 ** tried));
    }
  }
}
