// The make-believe telephone's page: asks once a second what rings, and tells what somebody does with a phone.
(() => {
  const PURPOSES = { desk: '接警台', operator: '值班员', person: '来信人', notice: '值班手机', duty_test: '拨测' }
  const STATES = {
    queued: '就要响了', initiated: '正在拨', ringing: '在响', 'in-progress': '通话中', completed: '挂断了', busy: '占线',
    'no-answer': '没人接', failed: '打不通', canceled: '取消了',
  }
  const DEEDS = {
    ringing: [['answer', '接起来'], ['busy', '占线'], ['no_answer', '不接']],
    'in-progress': [['end', '挂断']],
  }
  const list = document.getElementById('calls')
  const none = document.getElementById('none')
  const manner = document.getElementById('manner')
  const trouble = document.getElementById('trouble')
  let shown = ''

  async function ask(path, options = {}) {
    const answer = await fetch('/simulator/telephone' + path, { headers: { 'content-type': 'application/json' }, ...options })
    const told = await answer.json()
    if (!answer.ok) throw new Error(told.error)
    return told
  }

  function line(words, className) {
    const made = document.createElement('p')
    made.textContent = words
    if (className) made.className = className
    return made
  }

  function item(call) {
    const made = document.createElement('li')
    made.className = `call is-${call.status}`
    made.append(line(PURPOSES[call.purpose] || call.purpose, 'who'), line(call.to, 'number'), line(STATES[call.status] || call.status, 'state'))
    if (call.said) made.append(line(`听到：${call.said}`, 'heard'))
    if (call.conference) made.append(line(`进了三方通话 ${call.conference.slice(0, 6)}`, 'room'))
    const deeds = [...(DEEDS[call.status] || [])]
    if (call.status === 'in-progress' && call.key_address) deeds.unshift(['press', '按 1'])
    const row = document.createElement('div')
    row.className = 'deeds'
    for (const [index, [deed, words]] of deeds.entries()) {
      const button = document.createElement('button')
      button.type = 'button'
      button.className = index ? 'button' : 'button main'
      button.textContent = words
      button.addEventListener('click', () => run(() => ask(`/calls/${call.id}/${deed}`, { method: 'POST' })))
      row.append(button)
    }
    if (deeds.length) made.append(row)
    return made
  }

  async function look() {
    const told = await ask('/calls')
    const fingerprint = JSON.stringify(told)
    if (fingerprint === shown) return
    shown = fingerprint
    if (document.activeElement !== manner) manner.value = told.manner
    none.hidden = told.calls.length > 0
    list.replaceChildren(...told.calls.map(item))
  }

  async function run(act) {
    try {
      await act()
      await look()
      trouble.hidden = true
    } catch (error) {
      trouble.textContent = error.message || '连不上。'
      trouble.hidden = false
    }
  }

  manner.addEventListener('change', () => run(() => ask('/manner', { method: 'PUT', body: JSON.stringify({ manner: manner.value }) })))
  run(look)
  setInterval(() => run(look), 1000)
})()
