type Row = [label: string, value: string];

/** What is known of a product besides its description, ready to show: `peso_kg: 0.5` is "Peso: 500 g". */
export function attributeRows(attributes: Record<string, unknown>): Row[] {
  return Object.entries(attributes).flatMap(([name, value]): Row[] => {
    const [, label = name, unit] = /^(.+?)(?:_(kg|cm|ml))?$/.exec(name) ?? [];
    const text = typeof value === "number" ? measure(value, unit) : valueText(value);
    return text ? [[sentence(label), text]] : [];
  });
}

function measure(value: number, unit: string | undefined): string {
  const number = (n: number) => n.toLocaleString("es-MX");
  if (unit === "kg" && value < 1) return `${number(value * 1000)} g`;
  if (unit === "ml" && value >= 1000) return `${number(value / 1000)} L`;
  return unit ? `${number(value)} ${unit}` : number(value);
}

function valueText(value: unknown): string {
  if (typeof value === "boolean") return value ? "Sí" : "No";
  return typeof value === "string" ? sentence(value) : "";
}

function sentence(text: string): string {
  const words = text.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
