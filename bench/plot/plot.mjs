export const plot = () => '';
