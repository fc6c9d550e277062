// A tick each second from a worker: a browser slows the timers of a hidden page down, a worker's it does not.
setInterval(() => postMessage(0), 1000);
