// docs/ERRORS.md as a page with an anchor per code. The `type` of every problem document links to it.

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Cells of the rows of a Markdown table whose first cell is a code in backquotes. */
export function errorRows (markdown: string): string[][] {
  return markdown.split('\n')
    .filter((line) => /^\| `[a-z0-9-]+` \|/.test(line))
    .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
}

export function errorPage (markdown: string): string {
  const inline = (cell: string): string => escapeHtml(cell).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
  const rows = errorRows(markdown).map(([code = '', ...cells]) => {
    const name = code.replaceAll('`', '')
    const rest = cells.map((cell) => `<td>${inline(cell)}</td>`).join('')
    return `<tr id="${name}"><td><a href="#${name}">${inline(code)}</a></td>${rest}</tr>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid #8886; padding: .5rem .75rem; text-align: left; vertical-align: top }
tr:target { background: #fc36 }
</style>
</head>
<body>
<h1>Errors</h1>
<p>Every error is <code>application/problem+json</code> (RFC 9457). Branch on <code>code</code>: its meaning never
changes. <a href="/docs">Documentation</a></p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Meaning</th><th>Remedy</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`
}
