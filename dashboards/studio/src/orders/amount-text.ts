/** An amount as a person types it: "200", "24.90"; empty for none. */
export function amountText(minor: number | null, currency: string): string {
  if (minor === null) return "";
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const text = (minor / 10 ** digits).toFixed(digits);
  return text.replace(/\.0+$/, "");
}
