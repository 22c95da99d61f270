export * from "./http";
export * from "./language";
export * from "./route";
export * from "./scheme";
