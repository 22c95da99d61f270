
const code = new URLSearchParams(location.hash.slice(1)).get("code");
history.replaceState(null, "", location.pathname);
const form = document.forms[0];
if (code) {
  form.code.value = code;
  form.submit();
} else {
  document.getElementById("none").hidden = false;
}
