using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Writes requests about expectations.</summary>
internal static class ExpectationEncoder
{
    // nfgenmsg; to list or, as CTA_EXPECT_TUPLE is missing, to flush
    public static void PutAll(NlMsgWriter writer, CtExpectationMessage message) =>
        writer.BeginMessage(NfSubsystem.ConntrackExpectations, (byte)message, NlMsgFlags.None, family: 0);

    // nfgenmsg, CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE, CTA_EXPECT_MASK, CTA_EXPECT_TIMEOUT, CTA_EXPECT_FLAGS, CTA_EXPECT_CLASS, [CTA_EXPECT_HELP_NAME],
    // [CTA_EXPECT_ZONE], [CTA_EXPECT_FN], [CTA_EXPECT_NAT]
    public static void PutCreate(NlMsgWriter writer, Expectation expectation)
    {
        writer.BeginMessage(NfSubsystem.ConntrackExpectations, (byte)CtExpectationMessage.New, NlMsgFlags.Create | NlMsgFlags.Exclusive, Family(expectation));
        FlowTupleEncoder.Put(writer, CtExpectationAttribute.Master, expectation.Master);
        FlowTupleEncoder.Put(writer, CtExpectationAttribute.Tuple, expectation.Tuple);
        FlowTupleEncoder.Put(writer, CtExpectationAttribute.Mask, expectation.Mask);
        if (expectation.Timeout is { } timeout) FlowEncoder.PutTimeout(writer, CtExpectationAttribute.Timeout, timeout);
        writer.PutU32BigEndian(CtExpectationAttribute.Flags, (uint)expectation.Flags);
        writer.PutU32BigEndian(CtExpectationAttribute.Class, expectation.Class);
        if (expectation.Helper is { } helper) writer.PutString(CtExpectationAttribute.Helper, helper);
        if (expectation.Function is { } function) writer.PutString(CtExpectationAttribute.Function, function);
        if (expectation.Zone != 0) writer.PutU16BigEndian(CtExpectationAttribute.Zone, expectation.Zone);
        if (expectation.Nat is not { } nat) return;
        using var nest = writer.BeginNested(CtExpectationAttribute.Nat);
        writer.PutU32BigEndian(CtExpectationNatAttribute.Direction, nat.IsReply ? 1u : 0);
        FlowTupleEncoder.Put(writer, CtExpectationNatAttribute.Tuple, nat.Tuple);
    }

    // nfgenmsg, CTA_EXPECT_TUPLE, [CTA_EXPECT_ZONE], [CTA_EXPECT_ID]
    public static void PutDelete(NlMsgWriter writer, Expectation expectation)
    {
        writer.BeginMessage(NfSubsystem.ConntrackExpectations, (byte)CtExpectationMessage.Delete, NlMsgFlags.None, Family(expectation));
        FlowTupleEncoder.Put(writer, CtExpectationAttribute.Tuple, expectation.Tuple);
        if (expectation.Zone != 0) writer.PutU16BigEndian(CtExpectationAttribute.Zone, expectation.Zone);
        if (expectation.Id != 0) writer.PutU32BigEndian(CtExpectationAttribute.Id, expectation.Id);
    }

    private static byte Family(Expectation expectation) => FlowEncoder.Family(expectation.Tuple.Destination.Family);
}
