namespace KubeProxy.TestKit.Api;

/// <summary>What goes wrong between a proxy and its API server, by chance.</summary>
public static class Chaos
{
    /// <summary>What becomes of one request; null, often, for the right answer.</summary>
    public static Fault? RandomFault(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Next(14) switch
        {
            0 => new Fault.Drop(),
            1 => new Fault.Refuse(410, "Expired"),
            2 => new Fault.Refuse(500, "InternalError"),
            3 => new Fault.Refuse(429, "TooManyRequests"),
            4 => new Fault.CutAfter(random.Next(5000)),
            5 => new Fault.ErrorEvent(random.Next(6)),
            6 => new Fault.ErrorEvent(random.Next(3), 500, "InternalError"),
            7 => new Fault.Dribble(random.Next(1, 50)),
            _ => null,
        };
    }

    /// <summary>Something that happens to all who are connected, or nothing.</summary>
    public static void Disturb(FakeApiServer server, Random random)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(random);
        switch (random.Next(8))
        {
            case 0:
                server.Compact();
                break;
            case 1:
                server.CutConnections();
                break;
            case 2:
                server.EndWatches();
                break;
            case 3:
                server.SendBookmarks();
                break;
            case 4:
                server.ExpirePages();
                break;
        }
    }
}
