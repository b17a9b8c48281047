import { PLACE } from '../../src/wire/facts.ts'
import * as fc from 'fast-check'
import t from 'tap'
import { Beacon, type BeaconData } from '../../src/beacon/beacon.ts'

function node(data: Partial<BeaconData>, ...children: Beacon[]): Beacon {
  const beacon = new Beacon({ label: 'a', state: 'running', ...data })
  for (const child of children) beacon.attach(child)
  return beacon
}

const tree = (data: Partial<BeaconData>): string => node(data).toTree()

const app = () =>
  node(
    { label: 'Host' },
    node(
      { label: 'api' },
      node({
        label: 'hasher',
        [PLACE]: { kind: 'thread', location: { kind: 'thread', threadId: 3 } },
        restartCount: 2,
      }),
      node({ label: 'hasher', [PLACE]: { kind: 'thread', location: undefined }, state: 'init' }),
    ),
    node({ label: 'db', state: 'crashed', crashReason: new TypeError('no route'), restartCount: 1 }),
    node(
      { label: 'empty', state: 'stopped' },
      node({ label: 'leaf', [PLACE]: { kind: 'inline', location: { kind: 'inline', threadId: 0 } } }),
    ),
  )

void t.test('toTree', async (t) => {
  t.equal(
    app().toTree(),
    `
Host (running)
├─ api (running)
│  ├─ hasher (running, thread 3, 2 restarts)
│  └─ hasher#2 (init, isolated)
├─ db (crashed, 1 restart): TypeError: no route
└─ empty (stopped)
   └─ leaf (running, thread 0)`.trim(),
  )
})

void t.test('toTree of a part starts at its own margin', async (t) => {
  const part = app().children[2]!
  t.equal(part.toTree(), 'empty (stopped)\n└─ leaf (running, thread 0)')
})

void t.test('toMermaid', async (t) => {
  t.equal(
    app().toMermaid(),
    `
flowchart TD
  n0["Host<br/>running"]
  n1["api<br/>running"]
  n2["db<br/>crashed, 1 restart<br/>TypeError: no route"]:::crashed
  n3["empty<br/>stopped"]
  n4[["hasher<br/>running, thread 3, 2 restarts"]]
  n5[["hasher#35;2<br/>init, isolated"]]
  n6["leaf<br/>running, thread 0"]
  n0 --> n1
  n0 --> n2
  n0 --> n3
  n1 --> n4
  n1 --> n5
  n3 --> n6
  classDef crashed fill:#fdd,stroke:#c00,color:#600`.trim(),
  )
})

void t.test('toDot', async (t) => {
  t.equal(
    app().toDot(),
    String.raw`
digraph services {
  node [shape=box]
  n0 [label="Host\nrunning"]
  n1 [label="api\nrunning"]
  n2 [label="db\ncrashed, 1 restart\nTypeError: no route", color="#cc0000", fontcolor="#cc0000"]
  n3 [label="empty\nstopped"]
  n4 [label="hasher\nrunning, thread 3, 2 restarts", peripheries=2]
  n5 [label="hasher#2\ninit, isolated", peripheries=2]
  n6 [label="leaf\nrunning, thread 0"]
  n0 -> n1
  n0 -> n2
  n0 -> n3
  n1 -> n4
  n1 -> n5
  n3 -> n6
}`.trim(),
  )
})

void t.test('labels are escaped', async (t) => {
  const odd = node({ label: 'say "hi"\\n\n<b>&#1; `x` %%{init}%%' })
  t.equal(odd.toTree(), 'say "hi"\\n <b>&#1; `x` %%{init}%% (running)')
  t.equal(
    odd.toMermaid(),
    'flowchart TD\n  n0["say #quot;hi#quot;#92;n<br/>#60;b#62;#38;#35;1; #96;x#96; #37;#37;{init}#37;#37;<br/>running"]',
  )
  t.match(odd.toDot(), String.raw`n0 [label="say \"hi\"\\n\n<b>&#1; ` + '`x` %%{init}%%\\nrunning"]')
})

void t.test('a crash reason is one short line, shown while crashed alone', async (t) => {
  const state = 'crashed'
  t.equal(tree({ state }), 'a (crashed)')
  t.equal(tree({ state, crashReason: 'one\n  two\u001b[31m' }), 'a (crashed): one two [31m')
  t.equal(tree({ state, crashReason: { code: 7 } }), 'a (crashed): { code: 7 }')
  t.equal(tree({ state, crashReason: 'x'.repeat(60) }), `a (crashed): ${'x'.repeat(60)}`)
  t.equal(tree({ state, crashReason: 'x'.repeat(61) }), `a (crashed): ${'x'.repeat(59)}…`)
  t.equal(tree({ state, crashReason: `${'x'.repeat(58)}😀😀` }), `a (crashed): ${'x'.repeat(58)}…`)
  t.equal(tree({ crashReason: new Error('old') }), 'a (running)')
})

void t.test('any label keeps the drawings well-formed', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }), (label, other) => {
      const root = node({ label }, node({ label: other, state: 'crashed', crashReason: label }))
      const dotStrings = root.toDot().match(/label="(?:[^"\\]|\\[\s\S])*"[,\]]/g)
      const mermaidTexts = root.toMermaid().match(/^ {2}n\d+\["[^"\n]*"\](?::::crashed)?$/gm)
      return root.toTree().split('\n').length === 2 && dotStrings?.length === 2 && mermaidTexts?.length === 2
    }),
  )
})
