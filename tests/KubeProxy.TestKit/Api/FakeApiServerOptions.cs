using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KubeProxy.TestKit.Api;

/// <summary>What kind of server it is.</summary>
public sealed record FakeApiServerOptions
{
    /// <summary>Whether it knows <c>sendInitialEvents</c>.</summary>
    public bool StreamsInitialState { get; init; } = true;

    /// <summary>Whether it answers in protobuf when asked to.</summary>
    public bool SpeaksProtobuf { get; init; } = true;

    /// <summary>Whether it leaves out <c>metadata.managedFields</c> when asked to (gate ManagedFieldsOptOut).</summary>
    public bool DropsManagedFields { get; init; }

    /// <summary>Whether it compresses lists and initial states for those who ask (gate WatchListCompression).</summary>
    public bool Compresses { get; init; }

    /// <summary>Whether it says so at first and does not.</summary>
    public bool FakesCompression { get; init; }

    /// <summary>Whether lists of version 0 are in pages too; a real server sends all of its cache at once.</summary>
    public bool PagesFromCache { get; init; }

    /// <summary>The certificate of the server; null for plain http.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>What the server sends with its certificate.</summary>
    public IReadOnlyList<X509Certificate2> CertificateChain { get; init; } = [];

    /// <summary>Whether clients may have a certificate.</summary>
    public bool AsksForClientCertificate { get; init; }

    /// <summary>The port; 0 for any.</summary>
    public int Port { get; init; }

    /// <summary>Makes the socket that listens, such as in another network namespace.</summary>
    public Func<EndPoint, Socket> Bind { get; init; } = SocketTransportOptions.CreateDefaultBoundListenSocket;

    /// <summary>The clock of <c>timeoutSeconds</c>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
