// Versions of releases.

/** What comes after the newest of some versions: `1.0.0`, then `1.0.1`. */
export function nextVersion(versions: string[]): string {
  const parsed = versions
    .flatMap((version) => {
      const [, ...numbers] = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? [];
      return numbers.length === 3 ? [numbers.map(Number)] : [];
    })
    .sort((one, other) => {
      const index = one.findIndex((number, place) => number !== other[place]);
      return index < 0 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
    });
  const newest = parsed.at(-1);
  if (!newest) return "1.0.0";
  const [major, minor, patch] = newest;
  return `${major}.${minor}.${(patch ?? 0) + 1}`;
}

/** Whether the registry takes it as a tag. */
export const isVersion = (version: string) => /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/.test(version);
