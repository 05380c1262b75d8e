using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Reads expectations from messages.</summary>
internal static class ExpectationDecoder
{
    // nfgenmsg, CTA_EXPECT_TUPLE, CTA_EXPECT_MASK, CTA_EXPECT_MASTER (as the tuples of a flow), and what is in CtExpectationAttribute
    /// <exception cref="NetlinkFormatException">The message is malformed, or has no tuples.</exception>
    public static Expectation Decode(NlMessage message)
    {
        FlowTuple? master = null, tuple = null, mask = null;
        uint id = 0, flags = 0, number = 0;
        ushort zone = 0;
        TimeSpan? timeout = null;
        string? helper = null, function = null;
        ExpectationNat? nat = null;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<CtExpectationAttribute>())
            {
                case CtExpectationAttribute.Master: master = FlowTupleDecoder.Decode(attribute.Nested()); break;
                case CtExpectationAttribute.Tuple: tuple = FlowTupleDecoder.Decode(attribute.Nested()); break;
                case CtExpectationAttribute.Mask: mask = FlowTupleDecoder.Decode(attribute.Nested()); break;
                case CtExpectationAttribute.Timeout: timeout = TimeSpan.FromSeconds(attribute.U32BigEndian()); break;
                case CtExpectationAttribute.Id: id = attribute.U32BigEndian(); break;
                case CtExpectationAttribute.Zone: zone = attribute.U16BigEndian(); break;
                case CtExpectationAttribute.Flags: flags = attribute.U32BigEndian(); break;
                case CtExpectationAttribute.Class: number = attribute.U32BigEndian(); break;
                case CtExpectationAttribute.Helper: helper = attribute.Text(); break;
                case CtExpectationAttribute.Function: function = attribute.Text(); break;
                case CtExpectationAttribute.Nat: nat = Nat(attribute.Nested()); break;
            }
        }

        if (master is not { } by || tuple is not { } expected || mask is not { } bits) throw new NetlinkFormatException("An expectation without tuples.");
        return new Expectation(by, expected, bits)
        {
            Timeout = timeout, Id = id, Zone = zone, Flags = (ExpectationFlags)flags, Class = number, Helper = helper, Function = function, Nat = nat,
        };
    }

    private static ExpectationNat Nat(NlAttributes attributes)
    {
        uint direction = 0;
        FlowTuple tuple = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtExpectationNatAttribute>())
            {
                case CtExpectationNatAttribute.Direction: direction = attribute.U32BigEndian(); break;
                case CtExpectationNatAttribute.Tuple: tuple = FlowTupleDecoder.Decode(attribute.Nested()); break;
            }
        }

        return new ExpectationNat(direction != 0, tuple);
    }
}
