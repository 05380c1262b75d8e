using System.Net.Sockets;
using System.Text;
using KubeProxy.Core.Model;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Tells systemd how the service does (sd_notify(3)): a datagram to the socket named in <c>NOTIFY_SOCKET</c>. Without that,
/// nothing happens.
/// </summary>
/// <param name="socketPath">The value of <c>NOTIFY_SOCKET</c>; an <c>@</c> in front stands for the abstract namespace.</param>
/// <param name="logger">Gets a line when it cannot be told.</param>
internal sealed partial class ServiceReadiness(string? socketPath, ILogger<ServiceReadiness> logger)
{
    /// <summary>The status of a proxy that is well.</summary>
    public const string InForce = "Rules are in force";

    /// <summary>The rules are in force.</summary>
    public void Ready() => Tell("READY=1\nSTATUS=" + InForce);

    /// <summary>How it does now, in one line.</summary>
    public void Status(string status) => Tell("STATUS=" + SingleLine.Of(status));

    /// <summary>The process ends.</summary>
    public void Stopping() => Tell("STOPPING=1\nSTATUS=Ending; rules stay in force");

    private void Tell(string state)
    {
        if (string.IsNullOrEmpty(socketPath)) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(socketPath[0] == '@' ? '\0' + socketPath[1..] : socketPath));
        }
        catch (Exception problem) when (problem is SocketException or ArgumentException)
        {
            LogCannotTell(socketPath, problem.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot tell systemd at {Socket} how the service does: {Reason}")]
    private partial void LogCannotTell(string socket, string reason);
}
