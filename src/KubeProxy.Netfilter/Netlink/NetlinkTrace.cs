using System.Globalization;
using System.Text;

namespace KubeProxy.Netlink;

/// <summary>Is told of every datagram of a <see cref="NetlinkSocket"/>, which disposes it with itself if it can be.</summary>
public interface INetlinkTrace
{
    /// <summary>A datagram was handed to the kernel.</summary>
    void Sent(uint portId, ReadOnlySpan<ReadOnlyMemory<byte>> parts);

    /// <summary>A datagram came from the kernel.</summary>
    void Received(uint portId, ReadOnlySpan<byte> datagram);
}

/// <summary>
/// Appends decoded headers and a hex dump of every message to a file. Several sockets and processes may share the file.
/// The environment variable <c>KUBE_PROXY_NETLINK_TRACE</c>, set to a path, turns it on for every socket.
/// </summary>
public sealed class NetlinkTrace : INetlinkTrace, IDisposable
{
    /// <summary>The environment variable with the path of the file.</summary>
    public const string EnvironmentVariable = "KUBE_PROXY_NETLINK_TRACE";

    private readonly FileStream _file;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();

    /// <summary>Opens the file for appending.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public NetlinkTrace(string path, TimeProvider? time = null)
    {
        // No buffer: one write per record, so that records of several writers do not mix.
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The trace that the environment asks for; null when it asks for none or its file cannot be opened.</summary>
    public static NetlinkTrace? FromEnvironment()
    {
        var path = Environment.GetEnvironmentVariable(EnvironmentVariable);
        if (string.IsNullOrEmpty(path)) return null;
        try
        {
            return new NetlinkTrace(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // A debugging aid must not stop the product.
        }
    }

    /// <inheritdoc/>
    public void Sent(uint portId, ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        var text = Begin(portId, "sent");
        foreach (var part in parts) Append(text, part.Span);
        Write(text);
    }

    /// <inheritdoc/>
    public void Received(uint portId, ReadOnlySpan<byte> datagram)
    {
        var text = Begin(portId, "received");
        Append(text, datagram);
        Write(text);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private StringBuilder Begin(uint portId, string direction) => new StringBuilder().Append(
        CultureInfo.InvariantCulture, $"{_time.GetUtcNow():O} port {portId} {direction}\n");

    private static void Append(StringBuilder text, ReadOnlySpan<byte> datagram)
    {
        try
        {
            foreach (var message in new NlMessages(datagram))
            {
                var header = message.Header;
                text.Append(CultureInfo.InvariantCulture,
                    $"  type 0x{header.Type:x4} flags 0x{(ushort)header.Flags:x4} seq {header.Sequence} pid {header.PortId} len {header.Length}\n");
                AppendHex(text, message.Body);
            }
        }
        catch (NetlinkFormatException error)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {error.Message}\n");
            AppendHex(text, datagram);
        }
    }

    private static void AppendHex(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += 16)
        {
            var line = bytes.Slice(at, Math.Min(16, bytes.Length - at));
            text.Append(CultureInfo.InvariantCulture, $"    {at:x4} ");
            foreach (var value in line) text.Append(CultureInfo.InvariantCulture, $" {value:x2}");
            text.Append(' ', (16 - line.Length) * 3 + 2);
            foreach (var value in line) text.Append(value is >= 0x20 and < 0x7f ? (char)value : '.');
            text.Append('\n');
        }
    }

    private void Write(StringBuilder text)
    {
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        lock (_lock)
        {
            try
            {
                _file.Write(bytes);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // A full disk costs the trace, not the request.
            }
        }
    }
}
