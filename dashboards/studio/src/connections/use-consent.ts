import type { ConsentWish } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useApi } from "../api";

/** Leaves for the platform, where a person lets us into an account; it sends them back here. */
export function useConsent() {
  const api = useApi();
  return useMutation({
    mutationFn: (wish: ConsentWish) => api.beginConsent(wish),
    onSuccess: ({ url }) => location.assign(url),
  });
}
