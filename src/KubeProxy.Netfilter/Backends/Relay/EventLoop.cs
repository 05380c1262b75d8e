using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Tmds.Linux;
using static KubeProxy.Netlink.CallResult;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// A thread that waits with epoll and calls whoever is concerned. It belongs to the network namespace of the thread that
/// starts it. All members but <see cref="Post"/> and <see cref="Stop"/> are for the thread itself, and before it is started.
/// </summary>
internal sealed unsafe partial class EventLoop
{
    private const int Batch = 256;

    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly int _epoll;
    private readonly int _wakeUp;
    private readonly Thread _thread;
    private readonly List<Slot> _slots = [];
    private readonly Stack<int> _freeSlots = [];
    private readonly List<IDeadline> _deadlines = [];
    private readonly ConcurrentQueue<Action> _posted = [];
    private List<IReadiness> _deferred = [];
    private List<IReadiness> _deferring = [];
    private volatile bool _stopping;
    private Action _ended = () => { };

    public EventLoop(string name, TimeProvider time, ILogger logger)
    {
        (_logger, _time, _origin) = (logger, time, time.GetTimestamp());
        _epoll = epoll_create1(EPOLL_CLOEXEC);
        var error = ErrorOf(_epoll);
        if (error != 0) throw new RelayException("open an epoll descriptor", error);
        _wakeUp = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        error = ErrorOf(_wakeUp);
        if (error != 0) throw new RelayException("open an event descriptor", error);
        Register(_wakeUp, new WakeUp(this), EPOLLIN, out _);
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>The time when the thread last woke up, in milliseconds since the loop was made.</summary>
    public long Now { get; private set; }

    /// <summary>Starts the thread.</summary>
    /// <param name="ended">Called on the thread when it ends: closes what is open.</param>
    public void Start(Action ended)
    {
        _ended = ended;
        _thread.Start();
    }

    /// <summary>Ends the thread, and waits until it has.</summary>
    /// <returns>False when it was never started.</returns>
    public bool Stop()
    {
        _stopping = true;
        var wasStarted = !_thread.ThreadState.HasFlag(ThreadState.Unstarted);
        if (wasStarted)
        {
            Wake();
            _thread.Join();
        }

        _ = close(_wakeUp);
        _ = close(_epoll);
        return wasStarted;
    }

    /// <summary>Has the thread do something. For all threads.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        Wake();
    }

    /// <summary>Watches a descriptor until it is closed, or <see cref="Ignore"/> is called.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="handler">Whom to call.</param>
    /// <param name="happenings"><c>EPOLL*</c> bits.</param>
    /// <param name="slot">What to give to <see cref="Release"/> before the descriptor is closed.</param>
    /// <returns>0, or an errno.</returns>
    public int Register(int descriptor, IReadiness handler, int happenings, out int slot)
    {
        if (!_freeSlots.TryPop(out slot))
        {
            slot = _slots.Count;
            _slots.Add(new Slot());
        }

        ref var entry = ref CollectionsMarshal.AsSpan(_slots)[slot];
        entry.Handler = handler;
        var errno = Watch(descriptor, slot, happenings);
        if (errno != 0) Release(slot);
        return errno;
    }

    /// <summary>Does not watch the descriptor for a while; its slot is kept.</summary>
    public void Ignore(int descriptor) => _ = epoll_ctl(_epoll, EPOLL_CTL_DEL, descriptor, null);

    /// <summary>Watches a descriptor again that was ignored.</summary>
    public int Watch(int descriptor, int slot, int happenings)
    {
        var description = new epoll_event { events = happenings };
        description.data.u64 = ((ulong)_slots[slot].Generation << 32) | (uint)slot;
        return ErrorOf(epoll_ctl(_epoll, EPOLL_CTL_ADD, descriptor, &description));
    }

    /// <summary>Gives a slot back. What was reported already and not yet handled is dropped.</summary>
    public void Release(int slot)
    {
        ref var entry = ref CollectionsMarshal.AsSpan(_slots)[slot];
        entry.Handler = null;
        entry.Generation++;
        _freeSlots.Push(slot);
    }

    /// <summary>Calls it again, with no bits, when all others had their turn.</summary>
    public void Defer(IReadiness handler) => _deferred.Add(handler);

    /// <summary>Minds its time from now on.</summary>
    public void Add(IDeadline deadline) => _deadlines.Add(deadline);

    private void Run()
    {
        var happenings = (epoll_event*)NativeMemory.Alloc(Batch, (nuint)sizeof(epoll_event));
        try
        {
            while (!_stopping) Turn(happenings);
        }
        finally
        {
            NativeMemory.Free(happenings);
            _ended();
        }
    }

    private void Turn(epoll_event* happenings)
    {
        var count = epoll_wait(_epoll, happenings, Batch, Patience());
        var error = ErrorOf(count);
        if (error is not (0 or SocketErrno.Interrupted)) throw new RelayException("wait with epoll", error);
        Now = (long)_time.GetElapsedTime(_origin).TotalMilliseconds;
        for (var i = 0; i < count; i++)
        {
            var data = happenings[i].data.u64;
            var slot = _slots[(int)(uint)data];
            if (slot.Generation == (uint)(data >> 32) && slot.Handler is { } handler) Handle(handler, happenings[i].events);
        }

        HandleDeferred();
        foreach (var deadline in _deadlines)
            if (deadline.Due <= Now) deadline.OnDue();
    }

    private void HandleDeferred()
    {
        if (_deferred.Count == 0) return;
        (_deferring, _deferred) = (_deferred, _deferring);
        foreach (var handler in _deferring) Handle(handler, 0);
        _deferring.Clear();
    }

    private void Handle(IReadiness handler, int happenings)
    {
        try
        {
            handler.OnReady(happenings);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailure(_logger, e);
            handler.Abandon();
        }
    }

    private int Patience()
    {
        if (_deferred.Count > 0) return 0;
        var due = long.MaxValue;
        foreach (var deadline in _deadlines) due = Math.Min(due, deadline.Due);
        if (due == long.MaxValue) return -1;
        var now = (long)_time.GetElapsedTime(_origin).TotalMilliseconds;
        return (int)Math.Clamp(due - now, 0, int.MaxValue);
    }

    private void Wake()
    {
        ulong one = 1;
        _ = write(_wakeUp, &one, sizeof(ulong));
    }

    [LoggerMessage(1, LogLevel.Error, "A connection was given up")]
    private static partial void LogFailure(ILogger logger, Exception error);

    private struct Slot
    {
        public IReadiness? Handler;
        public uint Generation;
    }

    private sealed class WakeUp(EventLoop loop) : IReadiness
    {
        public void OnReady(int happenings)
        {
            ulong count;
            _ = read(loop._wakeUp, &count, sizeof(ulong));
            while (loop._posted.TryDequeue(out var action)) action();
        }

        public void Abandon() { }
    }
}
