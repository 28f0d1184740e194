import { BenefitsApi } from "@simulcast/api";
import { useMemo } from "react";

export const SEGMENTS = ["segments"];
export const REPORT = ["benefits"];

export function useBenefitsApi(): BenefitsApi {
  return useMemo(() => new BenefitsApi(), []);
}
