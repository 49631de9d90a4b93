/* Data on demand: each shard is a script beside the page that sets one value, so that it loads from a disk, too. */
"use strict";

(() => {
  const ADDRESS = /^data\/[a-z0-9-]+\.js$/;
  const KEPT = 24;

  const checked = (address) => {
    if (!ADDRESS.test(address)) throw new TypeError(`not a shard: ${address}`);
    return address;
  };
  // The only way by which a script of this page gets an address (see the page's policy).
  const policy = window.trustedTypes?.createPolicy("shards", { createScriptURL: checked });

  const loaded = new Map();

  const fetchShard = (name) =>
    new Promise((resolve, reject) => {
      const address = `data/${name}.js`;
      const script = document.createElement("script");
      script.src = policy ? policy.createScriptURL(address) : checked(address);
      script.addEventListener("load", () => {
        const variable = `lrat_${name.replaceAll("-", "_")}`;
        const value = window[variable];
        delete window[variable];
        script.remove();
        if (value === undefined) reject(new Error(`${address} is damaged: make the view again.`));
        else resolve(value);
      });
      script.addEventListener("error", () => {
        script.remove();
        reject(new Error(`${address} could not be loaded: keep it beside the page, or make the view again.`));
      });
      document.head.append(script);
    });

  /** The value of a shard; the last few are kept. */
  const load = (name) => {
    const before = loaded.get(name);
    const value = before ?? fetchShard(name);
    loaded.delete(name);
    loaded.set(name, value);
    value.catch(() => loaded.delete(name));
    while (loaded.size > KEPT) loaded.delete(loaded.keys().next().value);
    return value;
  };

  const numbered = (prefix, number) => `${prefix}-${String(number).padStart(4, "0")}`;

  Object.assign(window.lratView, { load, numbered });
})();
