package C4::Letters;

# Stands in for Koha's module in these tests, as strict as it is (C4/Letters.pm: GetPreparedLetter, EnqueueLetter;
# Koha/Notice/Templates.pm, find_effective_template).

use Modern::Perl;

use Carp qw( carp croak );
use C4::Context;

# For a test of what ends in the middle.
our $BEFORE_QUEUED = sub { };

sub GetPreparedLetter {
    my %params = @_;

    my $module = $params{module}      or croak 'No module';
    my $code   = $params{letter_code} or croak 'No letter_code';
    my $letter = _template( { %params, mtt => $params{message_transport_type} || 'email' } );
    if ( !$letter ) {
        warn "No $module $code letter transported by " . ( $params{message_transport_type} || 'email' );
        return;
    }
    my ( $tables, $substitute ) = ( $params{tables} || {}, $params{substitute} || {} );
    if ( !%{$tables} && !%{$substitute} ) {
        carp q{ERROR: nothing to substitute};
        return;
    }
    _fill( $letter, $_, $substitute->{$_} ) foreach keys %{$substitute};
    foreach my $table ( keys %{$tables} ) {
        croak "no $table here" if $table ne 'branches';
        my $row = C4::Context->dbh->selectrow_hashref( 'SELECT * FROM branches WHERE branchcode = ?',
            undef, $tables->{$table} );
        _fill( $letter, "branches.$_", $row->{$_} ) foreach keys %{ $row // {} };
    }

    # the Template Toolkit comes last, and would run what a value has brought
    croak 'the Template Toolkit would run this' if "$letter->{title}$letter->{content}" =~ m{\[%}xms;
    $letter->{content} =~ s{<<\S*>>}{}gxms;

    return $letter;
}

sub _fill {
    my ( $letter, $token, $value ) = @_;

    $value //= q{};
    $letter->{$_} =~ s/<<$token>>/$value/g foreach qw( title content );

    return;
}

sub _template {
    my ($wanted) = @_;

    my $lang = C4::Context->preference('TranslateNotices') && $wanted->{lang} ? $wanted->{lang} : 'default';
    foreach my $each ( $lang, $lang eq 'default' ? () : 'default' ) {
        my $row = C4::Context->dbh->selectrow_hashref(
            q{SELECT * FROM letter WHERE module = ? AND code = ? AND branchcode IN (?, '')}
                . ' AND message_transport_type = ? AND lang = ? ORDER BY branchcode DESC LIMIT 1',
            undef,
            @{$wanted}{qw( module letter_code )},
            $wanted->{branchcode} // q{},
            $wanted->{mtt},
            $each
        );
        return $row if $row;
    }

    return;
}

sub EnqueueLetter {
    my $params = shift or return;

    return if !exists $params->{letter} || !exists $params->{message_transport_type};
    return if ( $params->{letter}{content} // q{} ) !~ m{\S}xms;
    $BEFORE_QUEUED->();
    my $dbh = C4::Context->dbh;
    $dbh->do(
        'INSERT INTO message_queue (borrowernumber, subject, content, letter_code, message_transport_type, status)'
            . q{ VALUES (?, ?, ?, ?, ?, 'pending')},
        undef,
        $params->{borrowernumber},
        @{ $params->{letter} }{qw( title content code )},
        $params->{message_transport_type}
    );

    return 1;
}

1;
