import {expect} from '@open-wc/testing';
import {strftime} from '../../../worker-runtime/chat-template/strftime.ts';

describe('strftime', () => {
  const date = new Date('2024-03-05T15:04:09');
  const cases: Readonly<Record<string, string>> = {
    '%Y-%m-%d': '2024-03-05',
    '%d %b %Y': '05 Mar 2024',
    '%A, %B %e %y': 'Tuesday, March  5 24',
    '%a %H:%M:%S': 'Tue 15:04:09',
    '%I %p': '03 PM',
    '%j': '065',
    '%F %T': '2024-03-05 15:04:09',
    '100%% %Q %': '100% %Q %',
  };
  for (const [format, expected] of Object.entries(cases)) {
    it(`writes ${format}`, () => {
      expect(strftime(date, format)).to.equal(expected);
    });
  }

  it('writes noon and midnight as 12', () => {
    expect(strftime(new Date('2024-12-31T00:00:00'), '%I %p %j')).to.equal('12 AM 366');
    expect(strftime(new Date('2024-01-01T12:00:00'), '%I %p %j')).to.equal('12 PM 001');
  });
});
