"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const { root, mcp } = document.body.dataset;
  const ahead = Date.parse(document.body.dataset.now) - Date.now();

  // Make one tree like another, touching only what differs: focus, selection and scroll stay where they are.
  function morph(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) {
      from.replaceWith(to);
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
    for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    const old = [...from.childNodes];
    const next = [...to.childNodes];
    next.forEach((node, place) => (place < old.length ? morph(old[place], node) : from.append(node)));
    old.slice(next.length).forEach((node) => node.remove());
  }

  function fill(id, html) {
    const here = byId(id);
    if (!here) return;
    const next = here.cloneNode(false);
    next.innerHTML = html;
    morph(here, next);
    const titled = next.querySelector("[data-title]") || here.querySelector("[data-title]");
    if (titled) document.title = titled.dataset.title;
    tick();
  }

  // The words are those of the server's own (words.py, duration).
  function duration(seconds) {
    for (const [size, unit] of [[86400, "days"], [3600, "h"], [60, "min"]])
      if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit}`;
    return `${Math.max(1, Math.ceil(seconds))} s`;
  }

  function tick() {
    for (const time of document.querySelectorAll("time[data-tells]")) {
      const seconds = (Date.parse(time.dateTime) - Date.now() - ahead) / 1000;
      const away = seconds > 1 ? `in ${duration(seconds)}` : seconds < -1 ? `${duration(-seconds)} ago` : "now";
      const said = time.dataset.tells === "age" ? duration(-seconds) : away;
      if (time.textContent !== said) time.textContent = said;
    }
  }

  // One stream while the page can be seen; a browser has only six connections for all pages of a server.
  // The server says something every five seconds; when it has not for three times as long, it hangs, or the line is dead.
  const patience = 15000;
  let stream = null;
  let heard = 0;
  let pause = 1000;
  function close() {
    if (stream) stream.close();
    stream = null;
  }
  function listen() {
    if (stream || document.hidden) return;
    heard = Date.now();
    stream = new EventSource(`${root}status/events`);
    stream.onmessage = (event) => {
      heard = Date.now();
      pause = 1000;
      byId("lost").hidden = true;
      for (const [id, html] of Object.entries(JSON.parse(event.data))) fill(id, html);
    };
    stream.onerror = lose;
  }
  function lose() {
    byId("lost").hidden = document.hidden;
    close();
    setTimeout(listen, pause);
    pause = Math.min(2 * pause, 15000);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : listen()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", listen);

  let asking = null;
  async function search(address) {
    if (asking) asking.abort();
    const mine = (asking = new AbortController());
    const results = byId("results");
    results.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: mine.signal });
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("results");
      if (!found) throw new Error("no results in the answer");
      morph(results, document.importNode(found, true));
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(address);
    } finally {
      if (asking === mine) results.removeAttribute("aria-busy");
    }
  }
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    search(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  });

  async function copy(button) {
    const text = byId(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      // Where the page came over http from another machine there is no clipboard to write to, but a selection to copy.
      getSelection().selectAllChildren(text);
      document.execCommand("copy");
    }
    byId("copied").textContent = "Copied.";
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
      byId("copied").textContent = "";
    }, 2000);
  }
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  // A proxy in front may speak https, go by another name and have put the server under a path: the browser alone knows.
  byId("host").textContent = location.host;
  for (const text of document.querySelectorAll("pre[id^=text-]"))
    text.textContent = text.textContent.replaceAll(mcp, new URL(`${root}mcp`, location).href);

  setInterval(() => {
    tick();
    if (stream && Date.now() - heard > patience) lose();
  }, 1000);
  tick();
  listen();
})();
