import t from 'tap'
import { StartProgress } from '../../src/service/start-progress.ts'
import { StopProgress } from '../../src/service/stop-progress.ts'

void t.test('a start goes through its stages in order, and through none of them twice', async (t) => {
  const start = new StartProgress()
  t.throws(() => start.onStartReturned(), { message: 'Bulkhead: a start cannot go from due to hooksOwed' })
  start.runBegan()
  void start.startCalled(5)
  t.match(start, { begun: true, beganAt: 5, hooksDue: false })
  t.throws(() => start.runBegan(), /from begun to begun/)
  t.throws(() => start.stepsSucceeded(6), /from begun to running/)
  start.onStartReturned()
  t.match(start, { hooksDue: true, tasksStarted: false })
  start.tasksBegan()
  t.match(start, { tasksStarted: true, reachedRunning: false })
  start.stepsSucceeded(6)
  t.match(start, { reachedRunning: true, atRest: false })
  start.ranElsewhere()
  start.cameToRest(7)
  t.ok(start.atRest)
})

void t.test('a start enters no phase after a later one', async (t) => {
  const start = new StartProgress()
  start.entered('onStart', 1)
  start.entered('children', 2)
  start.entered('children', 3)
  t.throws(() => start.entered('tasks', 4), { message: 'Bulkhead: a start cannot go from children to tasks' })
  t.equal(start.phase, 'children')
})

void t.test('a start is settled by whoever comes first, once', async (t) => {
  const start = new StartProgress()
  start.runBegan()
  const promise = start.startCalled(0)
  t.equal(start.promise, promise)
  start.stepsEnded()!.resolve()
  t.equal(start.stepsEnded(), undefined)
  t.equal(start.promise, undefined, 'nobody joins it any more')
  await promise
  await start.stepsOver
})

void t.test('one that runs elsewhere has come through whatever is in between', async (t) => {
  const start = new StartProgress()
  start.runBegan()
  start.ranElsewhere()
  t.ok(start.reachedRunning)
})

void t.test('a run has one teardown', async (t) => {
  const stop = new StopProgress()
  t.throws(() => stop.began(), { message: 'Bulkhead: a stop cannot go from none to underWay' })
  const down = Promise.resolve([])
  stop.scheduled('turn', down)
  t.match(stop, { cameInTurn: true, isTold: false, over: false })
  t.equal(stop.down, down)
  t.throws(() => stop.scheduled('asked', Promise.resolve([])), /from scheduled to scheduled/)
  t.ok(stop.cameInTurn, 'and what it came of stays')
  stop.began()
  stop.runIsOver()
  t.ok(stop.over)
  stop.allWereTold()
  t.ok(stop.over)
  await stop.ended
})
