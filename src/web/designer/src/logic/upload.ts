// Files that are sent from the user's machine.

/** The service takes no more, in bytes. */
export const MOST = 10 * 1024 * 1024;

export const tooLarge = (size: number) => size > MOST;

/** Where a file goes: its folder without slashes at the ends, and its name. */
export const placeOf = (folder: string, name: string) => [...folder.split("/").map((part) => part.trim()).filter(Boolean), name].join("/");

/** Whether a browser shows it as an image. */
export const isImage = (path: string) => /\.(png|jpe?g|gif|webp|ico|svg)$/i.test(path);
