import { text } from "./text.js";

const place = document.body.appendChild(document.createElement("p"));
place.id = "frontend";
place.textContent = text;
import.meta.hot.accept("./text.js", (edited) => (place.textContent = edited.text));
