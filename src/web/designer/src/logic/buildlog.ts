// What a build's log says: lines as Azure DevOps writes them, and in them what compilers and MSBuild complain of.

export interface LogLine {
  /** `section`, `error`, `warning`, `command`, … ; empty for an ordinary line. */
  kind: string;
  text: string;
}

/** Takes off the time that each line begins with, and the mark after it. */
export function logLine(line: string): LogLine {
  const text = line.replace(/^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ?/, "");
  const mark = /^##\[([\w-]+)\]/.exec(text);
  if (mark) return { kind: mark[1] ?? "", text: text.slice(mark[0].length) };
  return { kind: diagnostic(text)?.severity ?? "", text };
}

export interface Diagnostic {
  severity: "error" | "warning";
  /** As `CS1002`. */
  code: string;
  message: string;
  /** As the build names it; empty when it is not about a file. */
  file: string;
  line?: number;
  column?: number;
}

// `App/Foo.cs(3,9): error CS1002: ; expected [/src/App/App.csproj]`, the place and the project may be absent.
// The file begins after BuildKit's own `#12 3.456 `, and may have blanks in it.
const SHAPE = /^(?:#\d+ (?:\d+\.\d+ )?)?\s*(.*?)(?:\((\d+)(?:,(\d+))?(?:[,-]\d+)*\))?\s*: (error|warning)(?: ([A-Z]+\d+))?\s*: (.*?)(?:\s+\[[^[\]]*\])?\s*$/;

function diagnostic(text: string): Diagnostic | undefined {
  const found = SHAPE.exec(text);
  if (!found) return undefined;
  const [, file = "", line, column, severity, code = "", message = ""] = found;
  // Without a code or a place it may be anybody's sentence; `CSC` and `MSBUILD` are tools.
  if (!code && !line) return undefined;
  return {
    severity: severity === "error" ? "error" : "warning",
    code,
    message,
    file: /^(CSC|MSBUILD)$/i.test(file) ? "" : file,
    ...(line ? { line: Number(line) } : {}),
    ...(column ? { column: Number(column) } : {}),
  };
}

/** The errors of a build, each once however often the log repeats it; without any, the lines that are marked as errors. */
export function errors(lines: string[]): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const marked: Diagnostic[] = [];
  for (const line of lines) {
    const { kind, text } = logLine(line);
    const told = diagnostic(text);
    if (told?.severity === "error") found.set([told.file, told.line, told.column, told.code, told.message].join("\n"), told);
    else if (kind === "error") marked.push({ severity: "error", code: "", message: text, file: "" });
  }
  return found.size > 0 ? [...found.values()] : marked;
}

/** The app's own file that a build means, whose folder in the image is not the repository's; the longest common end wins. */
export function ownFile(file: string, paths: string[]): string | undefined {
  const parts = file.replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== ".");
  for (let from = 0; from < parts.length; from += 1) {
    const end = parts.slice(from).join("/");
    if (paths.includes(end)) return end;
  }
  // A bare name, as of a project that was built in its own folder: only when no two files bear it.
  const fitting = paths.filter((path) => path.endsWith(`/${parts.join("/")}`));
  return fitting.length === 1 ? fitting[0] : undefined;
}
