import { formatMoney } from "@simulcast/api";

interface Props {
  title: string;
  note?: string;
  currency: string;
  rows: { name: string; orders: number; revenue_minor: number }[];
}

export function SalesTable({ title, note, currency, rows }: Props) {
  return (
    <table className="sales number">
      <caption>
        {title}
        {note && <span className="quiet-text"> {note}</span>}
      </caption>
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col">Orders</th>
          <th scope="col">Revenue</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td>{row.orders}</td>
            <td>{formatMoney(row.revenue_minor, currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
