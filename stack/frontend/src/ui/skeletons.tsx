export function LinesSkeleton({ label }: { label: string }) {
  return (
    <div className="wrap lines-skeleton" role="status">
      <span className="visually-hidden">{label}</span>
      <div className="skeleton skeleton--title" />
      {[1, 2, 3].map((n) => (
        <div key={n} className="skeleton skeleton--row" />
      ))}
    </div>
  );
}
