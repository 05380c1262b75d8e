using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.Host.Diagnostics;

/// <summary>A source of events of the runtime, and which of them.</summary>
/// <param name="Name">The name of the provider.</param>
/// <param name="Keywords">A bit for each group of events.</param>
/// <param name="Level">How detailed: 1 (critical) to 5 (verbose).</param>
internal readonly record struct EventProvider(string Name, ulong Keywords, uint Level);

/// <summary>What to record.</summary>
/// <param name="Providers">The sources of events.</param>
/// <param name="Rundown">What is told at the end about methods; without it a trace with stacks shows addresses.</param>
/// <param name="Stacks">Whether events have stacks.</param>
internal sealed record EventSelection(IReadOnlyList<EventProvider> Providers, ulong Rundown, bool Stacks)
{
    private const string Runtime = "Microsoft-Windows-DotNETRuntime";

    /// <summary>Where the CPU time goes: stacks of all threads, sampled every millisecond.</summary>
    public static EventSelection CpuSamples { get; } = new(
        [new("Microsoft-DotNETCore-SampleProfiler", 0, 4), new(Runtime, 0x18 /* methods and modules that are loaded meanwhile */, 4)],
        Rundown: 0x8 | 0x10 | 0x20 | 0x100, // Modules, compiled methods, precompiled methods, the end.
        Stacks: true);

    /// <summary>What the runtime does: collections, compilation, locks, exceptions, threads.</summary>
    public static EventSelection RuntimeEvents { get; } = new([new(Runtime, 0x1 | 0x10 | 0x4000 | 0x8000 | 0x10000, 4)], Rundown: 0, Stacks: false);
}

/// <summary>
/// Records events of this process in the format <c>nettrace</c>, as <c>dotnet-trace</c> does: over the runtime's own diagnostics
/// port, a Unix socket in the directory for temporary files (protocol: documentation/design-docs/ipc-protocol.md of dotnet/diagnostics).
/// </summary>
internal sealed class EventTrace : IDisposable
{
    private const byte EventPipe = 2;
    private const byte StopTracing = 1;
    private const byte CollectTracing4 = 5;
    private const uint NetTrace = 1;
    private const uint BufferMegabytes = 16;
    private const int HeaderLength = 20;

    private readonly string _port;
    private readonly NetworkStream _session;
    private readonly ulong _id;

    private EventTrace(string port, NetworkStream session, ulong id) => (_port, _session, _id) = (port, session, id);

    private static ReadOnlySpan<byte> Magic => "DOTNET_IPC_V1\0"u8;

    /// <summary>Begins to record.</summary>
    /// <exception cref="IOException">The runtime has no diagnostics port, or refused; the message says why.</exception>
    public static async Task<EventTrace> StartAsync(EventSelection selection, CancellationToken cancellationToken)
    {
        var port = FindPort();
        var session = await ConnectAsync(port, cancellationToken);
        try
        {
            return new EventTrace(port, session, await RequestAsync(session, CollectTracing4, Payload(selection), cancellationToken));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Writes what is recorded during a time, to the end.</summary>
    /// <param name="output">Gets the trace.</param>
    /// <param name="duration">How long to record.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task WriteAsync(Stream output, TimeSpan duration, TimeProvider time, CancellationToken cancellationToken)
    {
        var copying = _session.CopyToAsync(output, cancellationToken);
        await Task.WhenAny(Task.Delay(duration, time, cancellationToken), copying);
        if (!copying.IsCompleted) await StopAsync();
        await copying;
    }

    /// <summary>Ends the recording: the runtime stops when nobody reads any more.</summary>
    public void Dispose() => _session.Dispose();

    private async Task StopAsync()
    {
        using var connection = await ConnectAsync(_port, CancellationToken.None);
        var payload = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, _id);
        await RequestAsync(connection, StopTracing, payload, CancellationToken.None);
    }

    /// <summary>The newest one: a killed process leaves its port behind, and may have had the same process id.</summary>
    private static string FindPort()
    {
        var pattern = $"dotnet-diagnostic-{Environment.ProcessId}-*-socket";
        try
        {
            return Directory.EnumerateFiles(Path.GetTempPath(), pattern).MaxBy(File.GetLastWriteTimeUtc)
                ?? throw new IOException($"there is no {Path.GetTempPath()}{pattern}: the directory was not writable at the start, or DOTNET_EnableDiagnostics is 0");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static async Task<NetworkStream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Sends a command and returns the session that the answer names.</summary>
    private static async Task<ulong> RequestAsync(NetworkStream stream, byte command, byte[] payload, CancellationToken cancellationToken)
    {
        var message = new byte[HeaderLength + payload.Length];
        Magic.CopyTo(message);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(14), (ushort)message.Length);
        message[16] = EventPipe;
        message[17] = command;
        payload.CopyTo(message, HeaderLength);
        await stream.WriteAsync(message, cancellationToken);

        var header = new byte[HeaderLength];
        await stream.ReadExactlyAsync(header, cancellationToken);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(14)) - HeaderLength;
        if (!header.AsSpan(0, Magic.Length).SequenceEqual(Magic) || length is < 4 or > 1024) throw new IOException("the diagnostics port gave an answer of another protocol");
        var answer = new byte[length];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        var succeeded = header[17] == 0 && length >= sizeof(ulong);
        return succeeded
            ? BinaryPrimitives.ReadUInt64LittleEndian(answer)
            : throw new IOException($"the runtime refuses to trace: 0x{BinaryPrimitives.ReadUInt32LittleEndian(answer):X8}");
    }

    private static byte[] Payload(EventSelection selection)
    {
        using var payload = new MemoryStream();
        using var writer = new BinaryWriter(payload, Encoding.Unicode);
        writer.Write(BufferMegabytes);
        writer.Write(NetTrace);
        writer.Write(selection.Rundown);
        writer.Write(selection.Stacks ? (byte)1 : (byte)0);
        writer.Write((uint)selection.Providers.Count);
        foreach (var provider in selection.Providers)
        {
            writer.Write(provider.Keywords);
            writer.Write(provider.Level);
            writer.Write((uint)provider.Name.Length + 1);
            writer.Write(Encoding.Unicode.GetBytes(provider.Name + '\0'));
            writer.Write(0u); // No filter.
        }

        writer.Flush();
        return payload.ToArray();
    }
}
