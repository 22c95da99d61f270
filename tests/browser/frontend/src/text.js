export const text = "from its source";
