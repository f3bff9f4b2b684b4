export const measureGrowth = async () => [];
