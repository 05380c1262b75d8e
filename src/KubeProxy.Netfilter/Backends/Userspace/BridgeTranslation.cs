namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>What becomes of packets that pass the rules inside of a bridge already.</summary>
internal enum BridgeTranslation
{
    /// <summary>None do: nothing is translated, and the kernel need not be able to.</summary>
    Never,

    /// <summary>They are translated to ports of the relay.</summary>
    Now,

    /// <summary>
    /// None do any more: nothing is translated anew. The kernel goes on with what it translates as long as there is a chain for it.
    /// </summary>
    Before,
}
