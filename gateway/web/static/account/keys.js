// Where people's keys lie: IndexedDB of this browser, as objects that cannot be read out.

function opened() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("saphan-keys", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("keys");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function within(mode, step) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const asked = step(database.transaction("keys", mode).objectStore("keys"));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  } finally {
    database.close();
  }
}

/** Keep a key pair under its name. */
export const keep = (kid, pair) => within("readwrite", (store) => store.put(pair, kid));

/** The key pair of that name, or nothing. */
export const held = (kid) => within("readonly", (store) => store.get(kid));
