/** What people type as amounts and counts, read exactly: no binary fractions on the way. */

/** "24.90" or "24,90" → 2490 for a currency of two digits; null when it is no price. */
export function minorOf(typed: string, currency: string): number | null {
  const digits = digitsOf(currency);
  const found = /^(\d{1,9})(?:[.,](\d+))?$/.exec(typed.trim());
  if (!found) return null;
  const [, whole = "", cents = ""] = found;
  if (cents.length > digits) return null;
  return Number(whole + cents.padEnd(digits, "0"));
}

/** A whole number from 0 on; null when it is none. */
export function countOf(typed: string): number | null {
  return /^\d{1,9}$/.test(typed.trim()) ? Number(typed) : null;
}

function digitsOf(currency: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** 2490 → "24.90", as a person would type it. */
export function typedOf(minor: number, currency: string): string {
  const digits = digitsOf(currency);
  if (!digits) return String(minor);
  const text = String(minor).padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
